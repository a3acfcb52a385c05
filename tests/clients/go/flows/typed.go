package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	apply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// typed is the typed client in both encodings: create, list by pages, conflict, apply, the patches, watch, delete.
func typed(ctx context.Context, config *rest.Config, namespace string) error {
	for _, media := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
		config := rest.CopyConfig(config)
		config.ContentType, config.AcceptContentTypes = media, media
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return err
		}
		if err := maps(ctx, client.CoreV1().ConfigMaps(namespace)); err != nil {
			return fmt.Errorf("%s: %w", media, err)
		}
	}
	return nil
}

func maps(ctx context.Context, maps corev1client.ConfigMapInterface) error {
	watcher, err := maps.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer watcher.Stop()
	steps := []func(context.Context, corev1client.ConfigMapInterface) error{pages, conflict, applied, patched}
	for _, step := range steps {
		if err := step(ctx, maps); err != nil {
			return err
		}
	}
	if err := maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("delete collection: %w", err)
	}
	return told(watcher)
}

// pages makes five objects and lists them two by two.
func pages(ctx context.Context, maps corev1client.ConfigMapInterface) error {
	for number := range 5 {
		object := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("map-%d", number), Labels: map[string]string{"odd": fmt.Sprint(number % 2)}},
			Data:       map[string]string{"k": "v"},
		}
		if _, err := maps.Create(ctx, object, metav1.CreateOptions{FieldManager: "creator"}); err != nil {
			return fmt.Errorf("create: %w", err)
		}
	}
	var names []string
	options := metav1.ListOptions{Limit: 2}
	for {
		page, err := maps.List(ctx, options)
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		for _, item := range page.Items {
			names = append(names, item.Name)
		}
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	odd, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "odd=1", FieldSelector: "metadata.name!=map-3"})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	return must(len(names) == 5 && len(odd.Items) == 1, "lists: %v, %d", names, len(odd.Items))
}

// conflict updates an object by what it was.
func conflict(ctx context.Context, maps corev1client.ConfigMapInterface) error {
	old, err := maps.Get(ctx, "map-0", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	changed := old.DeepCopy()
	changed.Data["k"] = "w"
	if _, err := maps.Update(ctx, changed, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	_, err = maps.Update(ctx, old, metav1.UpdateOptions{})
	return must(errors.IsConflict(err), "an update of what is gone: %v", err)
}

// applied applies a field that another owns, without force and with it.
func applied(ctx context.Context, maps corev1client.ConfigMapInterface) error {
	own := apply.ConfigMap("map-1", "").WithData(map[string]string{"k": "mine", "l": "mine"})
	own.Namespace = nil
	_, err := maps.Apply(ctx, own, metav1.ApplyOptions{FieldManager: "applier"})
	if err := must(errors.IsConflict(err), "an apply of what another owns: %v", err); err != nil {
		return err
	}
	forced, err := maps.Apply(ctx, own, metav1.ApplyOptions{FieldManager: "applier", Force: true})
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	return must(forced.Data["k"] == "mine" && len(forced.ManagedFields) == 2, "applied: %v", forced)
}

// patched sends the three other patches.
func patched(ctx context.Context, maps corev1client.ConfigMapInterface) error {
	for kind, patch := range map[types.PatchType]string{
		types.JSONPatchType:           `[{"op":"add","path":"/data/json","value":"1"}]`,
		types.MergePatchType:          `{"data":{"merge":"1"}}`,
		types.StrategicMergePatchType: `{"data":{"strategic":"1"}}`,
	} {
		if _, err := maps.Patch(ctx, "map-2", kind, []byte(patch), metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	all, err := maps.Get(ctx, "map-2", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	return must(len(all.Data) == 4, "patched: %v", all.Data)
}

// told reads what a watch saw: everything that was made is gone again.
func told(watcher watch.Interface) error {
	counts := map[watch.EventType]int{}
	for event := range watcher.ResultChan() {
		counts[event.Type]++
		if counts[watch.Deleted] == 5 {
			break
		}
	}
	return must(counts[watch.Added] == 5 && counts[watch.Modified] == 5, "events: %v", counts)
}
