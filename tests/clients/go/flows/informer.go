package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// informer is a shared informer that begins with a streamed list (WatchList), and follows what happens then.
func informer(ctx context.Context, config *rest.Config, namespace string) error {
	requests := &requests{}
	config = rest.CopyConfig(config)
	config.Wrap(requests.count)
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := secrets(ctx, client, namespace, 0, 300); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	shared := factory.Core().V1().Secrets()
	var deleted atomic.Int32
	_, err = shared.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: func(any) { deleted.Add(1) }})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), shared.Informer().HasSynced) {
		return fmt.Errorf("the cache does not fill")
	}
	if err := must(requests.streamed.Load() == 1 && requests.listed.Load() == 0, "streamed lists: %d, lists: %d",
		requests.streamed.Load(), requests.listed.Load()); err != nil {
		return err
	}
	if err := secrets(ctx, client, namespace, 300, 10); err != nil {
		return err
	}
	if err := client.CoreV1().Secrets(namespace).Delete(ctx, "secret-7", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(context.Context) (bool, error) {
		all, err := shared.Lister().List(labels.Everything())
		return len(all) == 309 && deleted.Load() == 1, err
	})
}

func secrets(ctx context.Context, client kubernetes.Interface, namespace string, from, count int) error {
	for number := from; number < from+count; number++ {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("secret-%d", number)},
			StringData: map[string]string{"k": strings.Repeat("v", number)},
		}
		if _, err := client.CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create: %w", err)
		}
	}
	return nil
}

// requests counts how the server is asked for many objects.
type requests struct {
	streamed, listed atomic.Int32
}

func (r *requests) count(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		query := request.URL.Query()
		switch {
		case query.Get("sendInitialEvents") == "true":
			r.streamed.Add(1)
		case request.Method == http.MethodGet && query.Get("watch") == "" && strings.HasSuffix(request.URL.Path, "/secrets"):
			r.listed.Add(1)
		}
		return next.RoundTrip(request)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
