//go:build all

package main

import (
	"context"
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	helmchart "helm.sh/helm/v3/pkg/chart"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func init() { flows["chart"] = chart }

const templates = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  greeting: {{ .Values.greeting | quote }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: {{ .Values.port }}}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: c, image: "i:{{ .Chart.AppVersion }}"}]}
`

// chart is Helm: install, upgrade, roll back, history, uninstall.
func chart(ctx context.Context, config *rest.Config, namespace string) error {
	flags := genericclioptions.NewConfigFlags(true)
	flags.Namespace = &namespace
	helm := new(action.Configuration)
	if err := helm.Init(flags, namespace, "secret", func(string, ...any) {}); err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	install := action.NewInstall(helm)
	install.ReleaseName, install.Namespace = "demo", namespace
	if _, err := install.RunWithContext(ctx, packed("1"), map[string]any{"greeting": "hello", "replicas": 1, "port": 80}); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	if err := greets(ctx, client, namespace, "hello", "i:1"); err != nil {
		return err
	}
	upgrade := action.NewUpgrade(helm)
	upgrade.Namespace = namespace
	if _, err := upgrade.RunWithContext(ctx, "demo", packed("2"), map[string]any{"greeting": "bye", "replicas": 2, "port": 81}); err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	if err := greets(ctx, client, namespace, "bye", "i:2"); err != nil {
		return err
	}
	if err := action.NewRollback(helm).Run("demo"); err != nil {
		return fmt.Errorf("rollback: %w", err)
	}
	if err := greets(ctx, client, namespace, "hello", "i:1"); err != nil {
		return err
	}
	history, err := action.NewHistory(helm).Run("demo")
	if err != nil || len(history) != 3 {
		return fmt.Errorf("history: %d, %w", len(history), err)
	}
	if _, err := action.NewUninstall(helm).Run("demo"); err != nil {
		return fmt.Errorf("uninstall: %w", err)
	}
	left, err := client.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return must(len(left.Items) == 0, "services are left: %v", left.Items)
}

func packed(version string) *helmchart.Chart {
	return &helmchart.Chart{
		Metadata:  &helmchart.Metadata{APIVersion: "v2", Name: "demo", Version: "0.1." + version, AppVersion: version},
		Templates: []*helmchart.File{{Name: "templates/all.yaml", Data: []byte(templates)}},
	}
}

func greets(ctx context.Context, client kubernetes.Interface, namespace, text, image string) error {
	greeting, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, "demo", metav1.GetOptions{})
	if err != nil {
		return err
	}
	deployment, err := client.AppsV1().Deployments(namespace).Get(ctx, "demo", metav1.GetOptions{})
	if err != nil {
		return err
	}
	there := deployment.Spec.Template.Spec.Containers[0].Image
	return must(greeting.Data["greeting"] == text && there == image, "%q and %q instead of %q and %q", greeting.Data["greeting"], there, text, image)
}
