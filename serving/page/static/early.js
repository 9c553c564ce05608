// Runs before the first paint, so that the page does not flash in another theme or language.
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("musnad.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("musnad.language") === "en") {
      root.lang = "en";
      root.dir = "ltr";
    }
  } catch {
    // storage may be switched off; the page then starts in Arabic, in the system's theme
  }
})();
