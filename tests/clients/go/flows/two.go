package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// As many groups, each in a namespace of its own, have as many writers, which all write at the same time.
const groups, writers = 8, 8

// two writes through one server and at once reads through another (OTHER, a kubeconfig) on the same etcd, ROUNDS times.
// Each writer counts up in an object that only it writes. A GET must have the very write that was just answered; a
// LIST must have that, and of all others of its group at least what was answered to them before it began.
func two(ctx context.Context, config *rest.Config, _ string) error {
	rounds, err := strconv.Atoi(os.Getenv("ROUNDS"))
	if err != nil {
		return fmt.Errorf("ROUNDS: %w", err)
	}
	there, err := clientcmd.BuildConfigFromFlags("", os.Getenv("OTHER"))
	if err != nil {
		return fmt.Errorf("OTHER: %w", err)
	}
	write, err := quick(config)
	if err != nil {
		return err
	}
	read, err := quick(there)
	if err != nil {
		return err
	}
	// the full count takes longer than any other flow, whose patience each request has here
	ctx = context.WithoutCancel(ctx)
	start := time.Now()
	each := (rounds + groups*writers - 1) / (groups * writers)
	err = abreast(groups, func(int) error {
		namespace, err := fresh(ctx, config, "go-two")
		if err != nil {
			return err
		}
		group := &group{write: write.CoreV1().ConfigMaps(namespace), read: read.CoreV1().ConfigMaps(namespace)}
		return abreast(writers, func(writer int) error { return group.count(ctx, writer, int64(each)) })
	})
	if err != nil {
		return err
	}
	done, took := each*groups*writers, time.Since(start)
	fmt.Printf("    %d writes through one server, each read by GET and LIST through the other, none stale: %.0f s, %.0f rounds/s\n",
		done, took.Seconds(), float64(done)/took.Seconds())
	return nil
}

// quick is a client that waits for no one, in the encoding that costs it least.
func quick(config *rest.Config) (*kubernetes.Clientset, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Timeout = -1, patience
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf
	return kubernetes.NewForConfig(config)
}

// abreast does several things at the same time: the first failure, once all have ended.
func abreast(count int, do func(int) error) error {
	outcomes := make(chan error, count)
	for number := range count {
		go func() { outcomes <- do(number) }()
	}
	var failure error
	for range count {
		if outcome := <-outcomes; failure == nil {
			failure = outcome
		}
	}
	return failure
}

// group is the same objects behind two servers.
type group struct {
	write, read corev1client.ConfigMapInterface
	answered    [writers]atomic.Int64 // the last count of each writer whose write was answered
}

func name(writer int) string { return fmt.Sprintf("map-%d", writer) }

func (g *group) count(ctx context.Context, writer int, rounds int64) error {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name(writer)}, Data: map[string]string{"count": "1"}}
	written, err := g.write.Create(ctx, object, metav1.CreateOptions{})
	for count := int64(1); ; count++ {
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		g.answered[writer].Store(count)
		reads := []func() error{
			func() error { return g.get(ctx, written) },
			func() error { return g.list(ctx, written) },
		}
		if err := abreast(len(reads), func(which int) error { return reads[which]() }); err != nil {
			return err
		}
		if count == rounds {
			return nil
		}
		next := written.DeepCopy()
		next.Data["count"] = strconv.FormatInt(count+1, 10)
		written, err = g.write.Update(ctx, next, metav1.UpdateOptions{})
	}
}

func (g *group) get(ctx context.Context, written *corev1.ConfigMap) error {
	got, err := g.read.Get(ctx, written.Name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("GET: %w", err)
	}
	same := got.ResourceVersion == written.ResourceVersion && got.Data["count"] == written.Data["count"]
	return must(same, "GET is stale: %v after %v", got, written)
}

func (g *group) list(ctx context.Context, written *corev1.ConfigMap) error {
	var least [writers]int64
	for writer := range least {
		least[writer] = g.answered[writer].Load()
	}
	listed, err := g.read.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("LIST: %w", err)
	}
	counts := map[string]int64{}
	for _, item := range listed.Items {
		counts[item.Name], _ = strconv.ParseInt(item.Data["count"], 10, 64)
		if item.Name == written.Name && item.ResourceVersion != written.ResourceVersion {
			return fmt.Errorf("LIST is stale: %v after %v", item, written)
		}
	}
	for writer, least := range least {
		if counts[name(writer)] < least {
			return fmt.Errorf("LIST is stale: %s has %d after %d", name(writer), counts[name(writer)], least)
		}
	}
	return must(counts[written.Name] > 0, "LIST is stale: %s is not there", written.Name)
}
