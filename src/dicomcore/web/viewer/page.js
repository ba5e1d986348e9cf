// The studies of this server, and the images of a series. Values of data sets become text nodes only, never markup.
// Images are shown by cornerstone3D if its bundle was built (bundle/cornerstone.js), else as the server renders them.

const PAGE = 100;
const root = new URL(".", location.href).href;
const at = (id) => document.getElementById(id);
const path = (...words) => words.map(encodeURIComponent).join("/");
let stack = [];
let shown = 0;
let viewer = null;

async function ask(resource, parameters = {}) {
  const query = new URLSearchParams(parameters);
  const answer = await fetch(`${root}${resource}?${query}`, { headers: { Accept: "application/dicom+json" } });
  if (answer.status === 204) return [];
  if (!answer.ok) throw new Error(`the server answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`);
  return answer.json();
}

function value(item, tag) {
  const values = item[tag]?.Value ?? [];
  return values.map((one) => (one !== null && typeof one === "object" ? one.Alphabetic ?? "" : String(one ?? ""))).join(", ");
}

function say(text) {
  at("state").textContent = text;
}

async function guarded(work) {
  try {
    await work();
  } catch (error) {
    say(String(error.message ?? error));
  }
}

async function listStudies(offset = 0) {
  const name = at("name").value.trim();
  const found = await ask("studies", {
    limit: PAGE,
    offset,
    includefield: "StudyDescription",
    ...(name && { PatientName: name }),
  });
  const body = at("studies").tBodies[0];
  if (!offset) body.replaceChildren();
  for (const study of found) {
    const row = body.insertRow();
    row.tabIndex = 0;
    row.dataset.uid = value(study, "0020000D");
    for (const tag of ["00100010", "00100020", "00080020", "00080061", "00081030", "00201208"]) {
      row.insertCell().textContent = value(study, tag);
    }
    row.onclick = () => guarded(() => listSeries(row));
    row.onkeydown = (event) => event.key === "Enter" && row.onclick();
  }
  const more = at("more");
  more.hidden = found.length < PAGE;
  more.onclick = () => guarded(() => listStudies(offset + found.length));
  say(body.rows.length ? "" : "No studies.");
}

async function listSeries(row, wanted = null) {
  for (const other of at("studies").tBodies[0].rows) other.setAttribute("aria-selected", String(other === row));
  const study = row.dataset.uid;
  const list = at("series");
  list.replaceChildren();
  at("figure").hidden = true;
  for (const one of await ask(path("studies", study, "series"), { includefield: "SeriesDescription" })) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.uid = value(one, "0020000E");
    button.textContent = [value(one, "00080060"), value(one, "00200011"), value(one, "0008103E")].filter(Boolean).join(" ");
    button.onclick = () => guarded(() => openSeries(study, button));
    list.append(button);
  }
  const chosen = [...list.children].find((one) => one.dataset.uid === wanted) ?? list.firstElementChild;
  if (chosen) await openSeries(study, chosen);
}

async function openSeries(study, button) {
  for (const other of at("series").children) other.setAttribute("aria-pressed", String(other === button));
  const series = button.dataset.uid;
  say("Loading.");
  const instances = await ask(path("studies", study, "series", series, "metadata"));
  instances.sort((a, b) => Number(value(a, "00200013")) - Number(value(b, "00200013")));
  stack = [];
  for (const header of instances) {
    const place = path("studies", study, "series", series, "instances", value(header, "00080018"));
    const frames = Number(value(header, "00280008")) || 1;
    for (let frame = 1; frame <= frames && header["00280010"]; frame++) stack.push({ place, frame, header });
  }
  at("figure").hidden = !stack.length;
  say(stack.length ? "" : "This series has no images.");
  if (!stack.length) return;
  at("position").max = stack.length - 1;
  at("position").value = 0;
  const bundle = await cornerstone();
  viewer = bundle ? await bundle.open(at("stage"), root, stack) : plain(at("stage"));
  await show(0);
}

async function cornerstone() {
  const probe = await fetch(`${root}viewer/bundle/cornerstone.js`, { method: "HEAD" });
  return probe.ok ? import(`${root}viewer/bundle/cornerstone.js`) : null;
}

function plain(stage) {
  const image = document.createElement("img");
  image.alt = "";
  stage.replaceChildren(image);
  return {
    show: (index) =>
      new Promise((done, failed) => {
        image.onload = done;
        image.onerror = () => failed(new Error("The server does not render this image."));
        image.src = `${root}${stack[index].place}/frames/${stack[index].frame}/rendered`;
      }),
  };
}

async function show(index) {
  shown = Math.max(0, Math.min(stack.length - 1, index));
  at("position").value = shown;
  at("caption").textContent = `${shown + 1} of ${stack.length}`;
  at("stage").dataset.state = "loading";
  const wanted = shown;
  await viewer.show(shown);
  if (wanted === shown) at("stage").dataset.state = "shown";
}

// "#study=UID" opens a study at once, "&series=UID" one of its series.
async function openLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const row = [...at("studies").tBodies[0].rows].find((one) => one.dataset.uid === link.get("study"));
  if (row) await listSeries(row, link.get("series"));
}

at("search").onsubmit = (event) => {
  event.preventDefault();
  guarded(() => listStudies());
};
at("position").oninput = () => guarded(() => show(Number(at("position").value)));
at("stage").onwheel = (event) => {
  event.preventDefault();
  guarded(() => show(shown + Math.sign(event.deltaY)));
};
guarded(async () => {
  await listStudies();
  await openLink();
});
