/* Conditions as bytes, by number; 0 is none.
 *
 * Made by `python -m tools.standard`; edit that, not this.
 * Input: PS3.3 2025e from GoogleCloudPlatform/medical-imaging (Apache-2.0), brought to 2026b by highdicom 0.28.2 (MIT); texts lost there of 2016 from vupeter/posdaJS (MIT).
 * Holds 0 conditions, 0 bytes. */
#ifndef DICOMCORE_RULES_CONDITIONS_H
#define DICOMCORE_RULES_CONDITIONS_H

#include "rules/layout.h"

#define RULE_CONDITION_COUNT 1
static const uint32_t RULE_CONDITION_AT[2] = {
    0, 0,
};

static const uint8_t RULE_CONDITION_CODE[1] = {
    0,
};

/* What the bytes refer to by index: tags, sets of RULE_SETS, modules. An unused one ends each table. */
#define RULE_CONDITION_TAG_COUNT 0
#define RULE_CONDITION_SET_COUNT 0
#define RULE_CONDITION_MODULE_COUNT 0
static const uint32_t RULE_CONDITION_TAGS[1] = {
    0,
};
static const uint16_t RULE_CONDITION_SETS[1] = {
    0,
};
static const uint16_t RULE_CONDITION_MODULES[1] = {
    0,
};

#endif
