#!/usr/bin/env bash
# Ends the job as overgrant ended, after everything was reported.
set -euo pipefail

if [ "${OVERGRANT_UPLOAD:-auto}" = auto ] && [ "${OVERGRANT_UPLOAD_OUTCOME:-}" = failure ]; then
  echo "::notice title=overgrant::Code scanning did not take the SARIF file (is it enabled, and has the job security-events: write?). Findings are in the annotations and the job summary."
fi
case "${OVERGRANT_EXIT_CODE:-2}" in
  0) ;;
  3) echo "::warning title=overgrant::Nothing to check was found under the given paths." ;;
  *) exit "${OVERGRANT_EXIT_CODE:-2}" ;;
esac
