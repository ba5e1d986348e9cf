/* All tables of PS3.3; only `tables.pyx` includes this. */
#ifndef DICOMCORE_RULES_H
#define DICOMCORE_RULES_H

#include "rules/layout.h"
#include "rules/tables/conditions.h"
#include "rules/tables/iods.h"
#include "rules/tables/modules.h"
#include "rules/tables/text.h"
#include "rules/tables/values.h"

static const rules_t RULES = {
    RULE_ROWS,           RULE_MODULES,        RULE_REFINEMENTS,    RULE_PATHS,
    RULE_ITEMS,          RULE_USAGES,         RULE_IODS,           RULE_SOP_CLASSES,
    RULE_USES,           RULE_SETS,           RULE_VALUES,         RULE_CONDITION_AT,
    RULE_CONDITION_CODE, RULE_CONDITION_TAGS, RULE_CONDITION_SETS, RULE_CONDITION_MODULES,
    RULE_TEXT[0],
};

#endif
