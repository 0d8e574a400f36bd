// What must not wait for the server: sliders, the settings as one object, the address.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.explorer = {
  // Slider and text box of one key: each follows the other.
  follow(position, text) { return window.dash_clientside.explorer.pair(position, text, false); },
  follow_log(position, text) { return window.dash_clientside.explorer.pair(position, text, true); },
  pair(position, text, log) {
    const { no_update: nothing, explorer } = window.dash_clientside;
    const moved = window.dash_clientside.callback_context.triggered_id || "";
    if (moved.endsWith("-slider")) {
      const value = log ? Number((10 ** position).toPrecision(4)) : Number(position);
      return [nothing, explorer.written(Number(value.toPrecision(10)))];
    }
    const value = Number.parseFloat(text);
    const place = log ? Math.log10(value) : value;
    return [Number.isFinite(place) ? place : nothing, nothing];
  },

  written(value) {
    const size = Math.abs(value);
    const short = size >= 1e6 || (size > 0 && size < 1e-3);
    return short ? value.toExponential().replace("e+", "e") : String(value);
  },

  // All settings, if they changed and the last picture is drawn; also into the address.
  gather(busy, study, ...rest) {
    const before = rest.pop();
    const nothing = window.dash_clientside.no_update;
    if (busy || !study) return nothing;
    const now = { study: String(study.number) };
    study.keys.forEach((key, k) => { now[key] = rest[k] == null ? "" : String(rest[k]); });
    if (JSON.stringify(before) === JSON.stringify(now)) return nothing;
    const address = `${window.location.pathname}?${new URLSearchParams(now)}`;
    window.history.replaceState(null, "", address);
    return now;
  },
};
