// Before the first paint: the scheme a person chose on this browser. Without script the system's scheme holds.
const chosen = document.cookie.match(/(?:^|; )theme=(light|dark)/);
if (chosen) document.documentElement.dataset.theme = chosen[1];
