// Lints templates: node lint.mjs template.yaml …
// Each parameter that may be empty is given a value, because the linter takes defaults as given: it would otherwise hold
// "" against the branch that is taken only where there is a value.
import { CelEngine, TemplateFile } from "@aws/cloudformation-validate";

const key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555";
const config = {
  severityLevel: "WARN",
  parameterOverrides: {
    ReservedConcurrency: "50",
    SourceKmsKeyArn: key,
    DestinationKmsKeyArn: key,
    AlarmTopicArn: "arn:aws:sns:eu-central-1:123456789012:alarms",
    NoticeTopicArn: "arn:aws:sns:eu-central-1:123456789012:notices",
  },
  exclude: {
    ids: [
      "W1001", // a reference to what may not be there: template_test.go evaluates every combination instead
      "W8003", // a condition that is decided by the values given here: the same
      "W9003", // a number from a parameter that may be empty is a string
    ],
  },
};

const engine = new CelEngine();
let found = 0;
for (const path of process.argv.slice(2)) {
  const report = engine.validateStandard(new TemplateFile(path), config);
  for (const d of report.diagnostics) {
    found++;
    console.log(`${path}:${d.startLine}: ${d.severity} ${d.ruleId} ${d.entity?.logicalId ?? ""} ${d.propertyPath ?? ""}: ${d.message}`);
  }
  const { resourcesScanned, rulesEvaluated } = report.metadata;
  if (report.status !== "OK" || resourcesScanned === 0) {
    found++;
    console.log(`${path}: ${report.status}, ${resourcesScanned} resources seen`);
  }
  console.log(`${path}: ${resourcesScanned} resources, ${rulesEvaluated} rules, ${report.diagnostics.length} findings`);
}
process.exitCode = found || process.argv.length < 3 ? 1 : 0;
