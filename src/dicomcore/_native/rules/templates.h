/* All tables of templates; only `templates.pyx` includes this. */
#ifndef DICOMCORE_RULES_ALL_TEMPLATES_H
#define DICOMCORE_RULES_ALL_TEMPLATES_H

#include "rules/tables/relations.h"
#include "rules/tables/templates.h"
#include "rules/template_rows.h"

#endif
