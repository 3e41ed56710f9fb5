// Make one tree look like another with as few changes as possible, so that focus, open details
// and half-written fields stay as they are. Elements are the same when their tag and id are.
// What is marked `data-keep` looks after its own content; only its data attributes follow.

export function morph(from, to) {
  if (!same(from, to)) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  const kept = from.hasAttribute("data-keep");
  attributes(from, to, kept);
  if (!kept) children(from, to);
}

function same(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName
    && (one.id || "") === (other.id || "");
}

function attributes(from, to, dataOnly) {
  const hers = new Set(["DETAILS open", "INPUT value", "DIALOG open"]);
  const ours = (name) => hers.has(`${from.nodeName} ${name}`) || (dataOnly && !name.startsWith("data-"));
  for (const { name, value } of [...to.attributes]) {
    if (!ours(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!ours(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  }
}

function children(from, to) {
  const named = new Map([...from.children].filter((each) => each.id).map((each) => [each.id, each]));
  const ids = new Set([...to.children].map((each) => each.id).filter(Boolean));
  let here = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const known = wanted.id ? named.get(wanted.id) : undefined;
    // Moving an element takes the focus from it, so what is in its way and has gone is removed.
    while (known && here && here !== known && !ids.has(here.id)) {
      const next = here.nextSibling;
      here.remove();
      here = next;
    }
    if (known && known !== here) from.insertBefore(known, here);
    const present = known ?? here;
    if (present && same(present, wanted)) {
      if (present === here) here = here.nextSibling;
      morph(present, wanted);
    } else {
      from.insertBefore(wanted, here);
    }
  }
  while (here) {
    const next = here.nextSibling;
    here.remove();
    here = next;
  }
}
