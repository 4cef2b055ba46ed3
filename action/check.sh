#!/usr/bin/env bash
# Runs overgrant once: annotations to stdout, SARIF, JSON and the job summary to files.
# Reads OVERGRANT_BIN and the inputs as OVERGRANT_…; writes the outputs to GITHUB_OUTPUT.
# Findings do not fail this step: the verdict comes after the upload.
set -euo pipefail

cd "${OVERGRANT_WORKING_DIRECTORY:-.}"
out=${RUNNER_TEMP:-/tmp}/overgrant
mkdir -p "$out"
sarif=$out/overgrant.sarif
json=$out/overgrant.json
summary=$out/summary.md
rm -f "$sarif" "$json" "$summary"

command=("$OVERGRANT_BIN" check --format github
  --output "sarif=$sarif" --output "json=$json" --output "markdown=$summary"
  --fail-on "${OVERGRANT_FAIL_ON:-medium}"
  --min-severity "${OVERGRANT_MIN_SEVERITY:-medium}" --min-confidence "${OVERGRANT_MIN_CONFIDENCE:-medium}")
while IFS= read -r line; do
  [ -z "$line" ] || command+=("$line")
done <<<"${OVERGRANT_ARGS:-}"
command+=(--)
while IFS= read -r line; do
  [ -z "$line" ] || command+=("$line")
done <<<"${OVERGRANT_PATHS:-.}"

code=0
"${command[@]}" || code=$?

count=0
highest=none
if [ -e "$json" ]; then
  # The summary stands before the findings, so the first five counts are the report's own.
  for severity in info low medium high critical; do
    n=$(grep -o "\"$severity\": *[0-9]*" "$json" | head -n 1 | grep -o '[0-9]*$' || echo 0)
    n=${n:-0}
    count=$((count + n))
    [ "$n" -eq 0 ] || highest=$severity
  done
fi
if [ -e "$summary" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  cat "$summary" >>"$GITHUB_STEP_SUMMARY"
fi
{
  [ ! -e "$sarif" ] || echo "sarif-file=$sarif"
  [ ! -e "$json" ] || echo "json-file=$json"
  echo "findings=$count"
  echo "highest-severity=$highest"
  echo "exit-code=$code"
} >>"$GITHUB_OUTPUT"
