# ruff: noqa: SIM905 -- words are listed as text
"""Words of descriptions that identify nobody: those of the codes of PS3.16, body parts, and what protocols are made of.

A word of the vocabulary that is somebody's name ("head", "young") stays in a text unless it stands where only a name
does.
"""

from __future__ import annotations

import re
from functools import cache

from dicomcore._native.base.dictionary import keywords
from dicomcore._native.rules import contexts

__all__ = ["UNITS", "common_words", "is_plain", "strict_words"]

# Groups of codes that are names of places, languages, breeds and organizations rather than words of a report.
_NAMES = re.compile(
    r"breed|language|countr|registr|organi[sz]ation|geograph|ethnic|strain|species|religio", re.IGNORECASE
)
_PARTS = re.compile(r"[A-Z][a-z]+|[A-Z]+(?![a-z])")
_LETTERS = re.compile(r"[^\W\d_]+")
_FOREIGN = frozenset({"RFC5646", "ISO3166_1", "ISO639_1", "ISO639_2"})

# What descriptions of studies, series and protocols have beside the words of the codes.
_PROTOCOLS = """
abd abdo abdomen ac acq acquisition adc add addl adult after air ak ankle angio angiography ant anterior ao aorta ap
apical apnea arms arm art arterial arteries artery asl asset attn auto av average avg ax axi axial axials b0 baseline
bh biopsy bladder blade body bold bolus bone bones both bowel brain breast breasts breath breathhold bright bs bts bw
c cal calibration caliper cap cardiac caud cbct cbf cbv cc ce cerebral cervical cest chest child chol cine
cisternogram clavicle coil collapsed colon com combined comments complete con contrast control cor coronal coronals
coronary corr corrected cr crani cranial cs cspine ct cta ctac cthead cube curve cv cxr d dce decub default del delay
delayed dent derived dess detail dia diag diagnostic diastole diffusion digital dir disc distal dixon dl dlp dose
double dr dti dual dwi dx dyn dynamic early ecg echo ef elbow elec empty enhanced epi epi2d equil eso esophagus ex
exam exp expiration ext extended extremity eye f face facial fast fat fatsat fb fbp feet female femur fetal ffe fiesta
field fil film filter fine first flair flash flex flexion flip flow fluoro fmri foot forearm fov frames frontal fs fse
full function fusion fu fup fx gad gado gadolinium gating ge gradient gre grid h haste hand hands hd hf hi hip hips
hires hr hrct humerus hx hz iac icbm ii iii imaging img image images imr in inj injection inner inplane ins insp
inspiration int internal inv inversion ip ir ishift iso isotropic iv iva ivc ivim ivp j joint kidney kidneys knee
knees kneeling kub kv kvp l la laser lat lateral lava leg legs leftside left lesion liver lll lls lml lo loc localiser
localizer low lower lowdose lspine lt lul lumb lumbar lung lungs lv m magnet magnitude male mammo mammogram mandible
map mapping maps mas mastoid mast max maximum mc mdct mean med medium mediastinum mid midline mip mips mod modified
mol mono mosaic motion mov mpr mprage mpgr mprs mr mra mrcp mri mrs mrv ms multi multiplanar mu muscle myelo myelogram
myo myocardial n nasal nat native navigator nc neck neg neuro nm no noise non noncon nondiag normal nose ob obl
oblique oblik odont off old on op open opp opposed optical orbit orbits os out outphase outer p pa pancreas par
parallel patella pc pca pd pdw pedi peds pel pelvis perf perfusion pet petct phase phantom phases pilot pituitary
planar plane plain plan planning plus pns portable portal portrait pos position post posterior pr prep preg pre precon
pregnancy prelim prev primary prior pro processed prone prop propeller prostate prot protocol proton prox proximal pt
ptx pulm pulmonary pulse pwi q quad quiet r ra radial radiograph radius rapid rare rao rec recon reconstructed
reconstruction reformat reformats reformatted reg registered rel renal repeat report res resp respiratory rest result
ret retro rf rib ribs right rll rml roi rot rotation route routine rt rul run runoff rv s sag sagit sagittal sagittals
sat saturation save sc scan scans scap scaphoid scapula scout se second secondary seg sel sense seq sequence ser serie
series shoulder shoulders shot side sinus sinuses skull slab slice slices slow small smooth soft source space spair
spectro spgr spi spine spiral spir spleen spot sr stack standard std ster sternum still stir stomach straight stress
study sub subtracted subtraction sum summary sup superior supine surg survey suv swi swan systole t t1 t1w t2 t2w te
tech temp test tfe thick thigh thin thoracic thorax three thyroid ti tib tibia tilt time tip tir tirm tissue tle tmj
toe toes tof topo topogram tr tra trace track trans transverse trauma tri trig trigger true trufi trufisp tse tspine
tumor turbo tw twist two u uln ulna ultra ultrasound un unenhanced upper ur us uterus v vas vascular vein veins ven
venous vent ventral ventricle vertebra vibe view views visual vol volume vr vrt w wash water wb we weighted whole wide
win window wo wrist wrt xa xr xray y z zoom and are as at be been before between by can due during each for from has
have he her his if is it its new not of or other over per see seen she should that the their them then there these
they this to under up very was were when which while who will with within without you cont echocardiogram jpeg
lossless rle multiframe mode colonoscopy omniscan isovue ultravist gadovist magnevist omnipaque visipaque dotarem
prohance multihance primovist eovist lipiodol definity sonovue lexiscan mg rtstruct rtplan rtdose sm es ot big black
blue brown clear cold cross dark day days deep dry free front gray green grey ground half hard heart heavy high hot
last late light line long main may mild minor month months more most night null part patient patients point poor power
quick read red ring root round sharp short single stone strong tall top tree wall warm wave week weeks well white year
years yellow young able about above absent acute adequate adjacent also although any appear appears area areas
associated available because bilateral block blood cause central change changes chronic clinical close common compared
comparison concern consistent course current date degree demonstrate department described description detected
diagnosis disease done doctor evaluation evidence examination extent feature findings focal follow followup given good
grade greater group growth hospital history however identified impression include including increased indicated
indication infection information injury involving known large largest less level likely limited limits loss major
marked mass measures measuring minimal moderate multiple name near noted number obtained onset pain past pattern
pending performed physician possible present presence previous probable problem procedure radiologist radiology reason
recent recommend recommended reference related remain remains review same scattered severe several show shows sign
significant signs similar site size specific stable state status suggest suggested suspected symptoms taken technique
therapy total treatment type unchanged unremarkable use used using usual via visit visualized
""".split()

UNITS = frozenset(
    """mm cm m um nm ml l cc g mg kg mcg ug mgi ms s sec secs min mins h hr hrs d day days wk week weeks mo month
    months yr yrs year years deg degrees hz khz mhz t kv kvp mv mev kev ma mas mgy gy cgy sv msv mci mbq bq hu bpm
    pct percent x ppm mmhg kpa psi fps frames slices views phases vol px pixel pixels bit bits iso""".split()
)
"""Units and counted things behind a number, in lower case."""

# Words of codes that are names first of all.
_PEOPLE = frozenset(
    """adam albert alexander alfred allan allen alzheimer andersen anderson andrew ann anna anne anthony arnold arthur
    baker barton bell bennett berg bernard bishop bruce carl carlo carol charles charlotte christian clark claude
    cole cook cooper craig dale daniel david davis dean dennis diego douglas duncan edward ellis eric ernst evans
    fisher florence ford francis frank fraser fred fritz gabriel george gordon graham grant gray hall hans harris
    harry henry herbert holland howard hughes ivan jack jackson james jean john johnson jones jordan joseph juan
    karl kelly ken king klein lawrence lee leo lewis lincoln louis luis madison maria marie mark martin mary mason
    mayo michael miller mitchell morgan morris murray nathan nelson norman oliver oscar parker parkinson patrick
    paul pedro peter philip pierre ralph raymond richard robert robinson roger ross roy russell ryan samuel santiago
    schmidt scott shaw simon smith stanley stephen stewart sydney taylor thomas thompson turner victor vincent
    walker walter ward warren washington wayne webster wells werner william williams wilson wright wolf fuchs lorenz
    haas campbell richardson simpson boyd kennedy burns robertson ferguson reid hoffman pearson caldwell barrett
    watts leonard swanson hodges cobb osborne schwartz moran bauer law mac""".split()
)


@cache
def _meanings() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Meanings of codes, of DCM and of others, without those of names."""
    names: set[int] = set()
    for row in range(contexts.counts()["contexts"]):
        if _NAMES.search(contexts.context(row)[1]):
            names.update(contexts.members(row))
    own: list[str] = []
    others: list[str] = []
    for number in range(contexts.counts()["codes"]):
        scheme, _, meaning = contexts.code(number)
        if number not in names and scheme not in _FOREIGN:
            (own if scheme == "DCM" else others).append(meaning)
    return tuple(own), tuple(others)


@cache
def common_words() -> frozenset[str]:
    """Words that stay where they may be a name or not.

    They are those that codes write in lower case, those of attributes' names, and those of protocols.
    """
    own, others = _meanings()
    words = {word for word in _LETTERS.findall("\n".join(own + others)) if word.islower()}
    words.update(word.lower() for keyword in keywords() for word in _PARTS.findall(keyword))
    return frozenset((words | set(_PROTOCOLS)) - _PEOPLE)


@cache
def strict_words() -> frozenset[str]:
    """All words of the vocabulary, those included that codes write with a capital only."""
    own, others = _meanings()
    words = {word.lower() for word in _LETTERS.findall("\n".join(own))}
    for meaning in others:
        words.update(word.lower() for word in _LETTERS.findall(meaning)[:1])
    return frozenset((words | common_words() | UNITS) - _PEOPLE)


_WITH_NUMBER = re.compile(r"([^\W\d_]*)(\d{1,4})(?:[.,](\d{1,3}))?([^\W\d_]*)")
_SIZES = re.compile(r"\d{1,4}(?:[.,]\d{1,3})?(?:x\d{1,4}(?:[.,]\d{1,3})?){1,2}([^\W\d_]*)")
# Letters before a number: vertebrae, b-values, times, kernels, phases.
_BEFORE = frozenset("b t c s l d te tr ti tc fa h i u j br hr bl p r v x z ph fl g iv ii".split())
_BEHIND = frozenset("d st nd rd th f s h w a b c e x".split())


def is_plain(token: str) -> bool:
    """Whether a folded word, number or both together belong to the vocabulary: ``axial``, ``t2w``, ``5mm``, ``3x3``."""
    words = strict_words()
    if token in words:
        return True
    match = _WITH_NUMBER.fullmatch(token)
    if match is None:
        sizes = _SIZES.fullmatch(token)
        return sizes is not None and (not sizes[1] or sizes[1] in UNITS)
    before, digits, _, behind = match.groups()
    if before and before not in _BEFORE and before not in words:
        return False
    if behind:
        return behind in UNITS or (len(digits) <= 3 and (behind in _BEHIND or behind in words))
    return len(digits) <= 3 or before in ("b", "tr", "te", "ti")
