module penstock.dev/tests/tools/gateway-api

go 1.26.8

// Nothing is built of it: its CRDs are applied from where the Go client unpacks it.
require sigs.k8s.io/gateway-api v1.6.3
