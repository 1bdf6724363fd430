// The numbers that were looked at on the way to this one, as in "1:10,8,3*0:12,9,0".

function text({ parameter, step, at }) {
  return `${parameter ?? step}:${at}`;
}

/** {step, at} or {parameter, at} of a text. */
export function subjectOf(one) {
  const cut = one.lastIndexOf(":");
  const [name, at] = [one.slice(0, cut), one.slice(cut + 1)];
  return /^-?\d+$/.test(name)
    ? { step: name, at, parameter: null }
    : { parameter: name, at, step: null };
}

export function parseTrail(trail) {
  return trail ? trail.split("*").map(subjectOf) : [];
}

export function formatTrail(subjects) {
  return subjects.map(text).join("*") || null;
}

/** What the address says after another number was chosen in the window of this one. */
export function further(state, next) {
  const here = { step: state.step, at: state.at ?? "", parameter: state.parameter };
  const trail = formatTrail([...parseTrail(state.trail), here]);
  return { step: null, parameter: null, ...next, trail };
}

/** What the address says after going back to the k-th number of the trail. */
export function backTo(state, k) {
  const subjects = parseTrail(state.trail);
  return { ...subjects[k], trail: formatTrail(subjects.slice(0, k)) };
}
