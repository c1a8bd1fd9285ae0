// Package check holds what deploy/k8s describes against what is true: schemas
// of the objects, names that refer to each other, flags that the programs know,
// metrics that they export, streams that they make, and who may talk to whom.
// Nothing of it needs a cluster, a network or a program that is installed.
package check
