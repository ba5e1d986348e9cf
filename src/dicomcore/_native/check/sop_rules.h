/* What the SOP class of an object says of other attributes. */
#ifndef DICOMCORE_CHECK_SOP_RULES_H
#define DICOMCORE_CHECK_SOP_RULES_H

/* `uid` is what follows 1.2.840.10008.5.1.4.1.1. in the UID; `modalities` are separated by spaces, empty: any, or such
 * as the values of the IOD's own modules say. `single`: images of one frame. `mime`: the kind of document it holds. */
typedef struct {
    const char *uid, *modalities;
    int single;
    const char *mime;
} sop_rule_t;

static const sop_rule_t SOP_RULES[] = {
    {"1", "CR", 1, ""},
    {"1.2", "", 1, ""},
    {"1.2.1", "", 1, ""},
    {"2", "CT", 1, ""},
    {"3.1", "US IVUS", 0, ""},
    {"4", "MR", 1, ""},
    {"6.1", "US IVUS", 1, ""},
    {"7", "", 1, ""},
    {"9.1.1", "ECG", 0, ""},
    {"9.1.2", "ECG", 0, ""},
    {"9.1.3", "ECG", 0, ""},
    {"9.1.4", "ECG", 0, ""},
    {"9.2.1", "HD", 0, ""},
    {"9.3.1", "EPS", 0, ""},
    {"9.4.1", "AU", 0, ""},
    {"9.4.2", "AU", 0, ""},
    {"12.1", "XA", 0, ""},
    {"12.2", "RF", 0, ""},
    {"20", "NM", 0, ""},
    {"77.1.1", "ES", 1, ""},
    {"77.1.2", "GM", 1, ""},
    {"77.1.3", "SM", 1, ""},
    {"77.1.4", "XC", 1, ""},
    {"104.1", "", 0, "application/pdf"},
    {"104.2", "", 0, "text/xml"},
    {"104.3", "", 0, "model/stl"},
    {"104.4", "", 0, "model/obj"},
    {"104.5", "", 0, "model/mtl"},
    {"128", "PT", 1, ""},
    {"481.1", "RTIMAGE", 0, ""},
    {"481.2", "RTDOSE", 0, ""},
    {"481.3", "RTSTRUCT", 0, ""},
    {"481.4", "RTRECORD", 0, ""},
    {"481.5", "RTPLAN", 0, ""},
    {"481.6", "RTRECORD", 0, ""},
    {"481.7", "RTRECORD", 0, ""},
    {"481.8", "RTPLAN", 0, ""},
    {"481.9", "RTRECORD", 0, ""},
};

enum { SOP_RULE_COUNT = sizeof SOP_RULES / sizeof *SOP_RULES };

#endif
