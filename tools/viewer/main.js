// What the page of the web server imports to show images: one viewport of cornerstone3D with the frames of a series.

import * as core from "@cornerstonejs/core";
import * as loader from "@cornerstonejs/dicom-image-loader";

const ENGINE = "engine";
const VIEWPORT = "viewport";
let ready = null;

async function begin() {
  await core.init({ rendering: { useCPURendering: !hasWebGL() } });
  await loader.init({ maxWebWorkers: 2 });
}

function hasWebGL() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

/** Open frames, each {place, frame, header}; gives an object whose show(index) shows one of them. */
export async function open(stage, root, frames) {
  ready ??= begin();
  await ready;
  core.getRenderingEngine(ENGINE)?.destroy();
  const element = document.createElement("div");
  stage.replaceChildren(element);
  const ids = frames.map(({ place, frame, header }) => {
    const id = `wadors:${root}${place}/frames/${frame}`;
    loader.wadors.metaDataManager.add(id, header);
    return id;
  });
  const engine = new core.RenderingEngine(ENGINE);
  engine.enableElement({ viewportId: VIEWPORT, type: core.Enums.ViewportType.STACK, element });
  const viewport = engine.getViewport(VIEWPORT);
  await viewport.setStack(ids, 0);
  return {
    async show(index) {
      const rendered = new Promise((done) =>
        element.addEventListener(core.Enums.Events.IMAGE_RENDERED, done, { once: true }),
      );
      await viewport.setImageIdIndex(index);
      viewport.render();
      await rendered;
    },
  };
}
