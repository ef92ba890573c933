module penstock.dev/tests/tools/probe

go 1.26.8
