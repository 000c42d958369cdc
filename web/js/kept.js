// What the browser keeps for us. Where it keeps nothing (blocked, full), the page works and forgets at the next load.

/** Reads and writes one text of a storage: `kept("localStorage", "key")`. */
export function kept(area, key) {
  let memory = null;
  return {
    read() {
      try { return window[area].getItem(key); } catch { return memory; }
    },
    write(text) {
      memory = text;
      try {
        if (text === null) window[area].removeItem(key);
        else window[area].setItem(key, text);
      } catch { /* memory has it */ }
    },
  };
}
