/* All tables of codes and context groups; only `contexts.pyx` includes this. */
#ifndef DICOMCORE_RULES_ALL_CONTEXTS_H
#define DICOMCORE_RULES_ALL_CONTEXTS_H

#include "rules/coded.h"
#include "rules/tables/code_text.h"
#include "rules/tables/codes.h"
#include "rules/tables/contexts.h"

#endif
