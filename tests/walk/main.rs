//! hello-minikube on a running cluster.
