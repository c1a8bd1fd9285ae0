module github.com/blipstream/blipstream/deploy/check

go 1.26.0

require sigs.k8s.io/yaml v1.6.0

require (
	github.com/blang/semver/v4 v4.0.0 // indirect
	github.com/yannh/kubeconform v0.8.0 // indirect
	go.yaml.in/yaml/v2 v2.4.4 // indirect
	sigs.k8s.io/kustomize/api v0.21.2 // indirect
)
