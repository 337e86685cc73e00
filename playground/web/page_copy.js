// Copy text: pages without https (a class on one Wi-Fi) have no navigator.clipboard.

/** Copy a text; resolves to whether the browser allowed it. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByHand(text);
  }
}

function copyByHand(text) {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "play-hidden";
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  let done = false;
  try {
    done = document.execCommand("copy");
  } catch {
    // the caller shows the text instead
  }
  field.remove();
  before?.focus({ preventScroll: true });
  return done;
}
