#!/bin/sh
# The first histories of the property test (tests/property/run; all of them: make property).
PROPERTY_CASES=${PROPERTY_CASES:-150} exec "${0%/*}/../property/run"
