module penstock.dev/tests/tools/pause

go 1.26.0

tool penstock.dev/tests/tools/pause
