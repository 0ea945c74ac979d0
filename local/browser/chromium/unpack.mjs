// Unpacks the Chromium of the npm package into this folder, with the libraries and fonts that a bare machine lacks.

import { writeFileSync } from "node:fs";

const here = import.meta.dirname;
process.env.TMPDIR = here;
// The package unpacks its libraries on Lambda alone.
process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs24.x";
const { default: chromium } = await import("@sparticuz/chromium");
const program = await chromium.executablePath();

writeFileSync(`${here}/fonts.conf`, `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${here}/fonts</dir>
  <dir>${here}/node_modules/@expo-google-fonts/noto-sans-devanagari</dir>
  <cachedir>${here}/fonts-cache</cachedir>
</fontconfig>
`);
writeFileSync(`${here}/run`, `#!/bin/sh
export LD_LIBRARY_PATH='${here}/al2023/lib' FONTCONFIG_FILE='${here}/fonts.conf'
exec '${program}' "$@"
`, { mode: 0o755 });
