module nakhoda/schema/generate

go 1.26.0

// Sources that are read, not linked: `go mod tidy` would drop them.
require (
	k8s.io/api v0.37.2
	k8s.io/apiextensions-apiserver v0.37.2
	k8s.io/apimachinery v0.37.2
	k8s.io/kube-aggregator v0.37.2
	k8s.io/metrics v0.37.2
)
