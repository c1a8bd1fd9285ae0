// Prints what the build weighs on the wire, gzip'd, beside its budget.
import { measure, BUDGET_JS } from './measure.mjs';

const rows = measure();
for (const { name, raw, gzip } of rows) {
  console.log(`${name.padEnd(52)} ${String(raw).padStart(8)} B ${String(gzip).padStart(8)} B gzip`);
}
const js = rows.filter((r) => r.name.endsWith('.js')).reduce((sum, r) => sum + r.gzip, 0);
console.log(`JavaScript ${js} B gzip of a budget of ${BUDGET_JS} B`);
if (js > BUDGET_JS) process.exit(1);
