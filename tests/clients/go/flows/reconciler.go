//go:build all

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func init() { flows["reconciler"] = reconciler }

const finalizer = "clients.example/held"

// copies keeps for each ConfigMap that has `copy` a Secret with the same text, and holds the map until that is gone.
type copies struct {
	client.Client
	scheme *runtime.Scheme
}

// reconciler is a manager of controller-runtime with one controller: owned objects, a finalizer, a leader's lease.
func reconciler(ctx context.Context, config *rest.Config, namespace string) error {
	log.SetLogger(logr.Discard())
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  clientgoscheme.Scheme,
		Metrics:                 server.Options{BindAddress: "0"},
		Cache:                   cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		LeaderElection:          true,
		LeaderElectionID:        "copies.clients.example",
		LeaderElectionNamespace: namespace,
	})
	if err != nil {
		return err
	}
	copies := &copies{manager.GetClient(), manager.GetScheme()}
	if err := ctrl.NewControllerManagedBy(manager).For(&corev1.ConfigMap{}).Owns(&corev1.Secret{}).Complete(copies); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(running) }()
	err = follow(ctx, manager.GetClient(), namespace)
	stop()
	if failed := <-ended; err == nil {
		err = failed
	}
	return err
}

func (r *copies) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var source corev1.ConfigMap
	if err := r.Get(ctx, request.NamespacedName, &source); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	text, wanted := source.Data["copy"]
	if !wanted {
		return ctrl.Result{}, nil
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: source.Name, Namespace: source.Namespace}}
	if !source.DeletionTimestamp.IsZero() {
		if err := client.IgnoreNotFound(r.Delete(ctx, secret)); err != nil {
			return ctrl.Result{}, err
		}
		controllerutil.RemoveFinalizer(&source, finalizer)
		return ctrl.Result{}, r.Update(ctx, &source)
	}
	if controllerutil.AddFinalizer(&source, finalizer) {
		if err := r.Update(ctx, &source); err != nil {
			return ctrl.Result{}, err
		}
	}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, secret, func() error {
		secret.Data = map[string][]byte{"copy": []byte(text)}
		return controllerutil.SetControllerReference(&source, secret, r.scheme)
	})
	return ctrl.Result{}, err
}

// follow makes a map, changes it, puts its copy right, writes a status, and deletes all again.
func follow(ctx context.Context, client client.Client, namespace string) error {
	source := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "source", Namespace: namespace}, Data: map[string]string{"copy": "one"},
	}
	if err := client.Create(ctx, source); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if err := copied(ctx, client, namespace, "one"); err != nil {
		return err
	}
	if err := patch(ctx, client, source, "two"); err != nil {
		return err
	}
	if err := copied(ctx, client, namespace, "two"); err != nil {
		return err
	}
	if err := status(ctx, client, namespace); err != nil {
		return err
	}
	if err := client.Delete(ctx, source); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		err := client.Get(ctx, key(namespace, "source"), &corev1.ConfigMap{})
		return errors.IsNotFound(err), nil
	})
}

func key(namespace, name string) client.ObjectKey {
	return client.ObjectKey{Namespace: namespace, Name: name}
}

func patch(ctx context.Context, writer client.Client, source *corev1.ConfigMap, text string) error {
	before := source.DeepCopy()
	source.Data = map[string]string{"copy": text}
	if err := writer.Patch(ctx, source, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("patch: %w", err)
	}
	return nil
}

func copied(ctx context.Context, reader client.Client, namespace, text string) error {
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		var secret corev1.Secret
		err := reader.Get(ctx, key(namespace, "source"), &secret)
		return err == nil && string(secret.Data["copy"]) == text && owned(&secret), nil
	})
	if err != nil {
		return fmt.Errorf("the copy does not become %q: %w", text, err)
	}
	return nil
}

func owned(secret *corev1.Secret) bool {
	owner := metav1.GetControllerOf(secret)
	return owner != nil && owner.Kind == "ConfigMap" && owner.Name == secret.Name
}

// status writes the status of a Deployment, whose spec stays as it is.
func status(ctx context.Context, writer client.Client, namespace string) error {
	labels := map[string]string{"app": "a"}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: namespace},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
			},
		},
	}
	if err := writer.Create(ctx, deployment); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	seven := int32(7)
	deployment.Status.Replicas, deployment.Spec.Replicas = 3, &seven
	if err := writer.Status().Update(ctx, deployment); err != nil {
		return fmt.Errorf("status: %w", err)
	}
	return must(deployment.Status.Replicas == 3 && *deployment.Spec.Replicas == 1, "a write of status: %v", deployment)
}
