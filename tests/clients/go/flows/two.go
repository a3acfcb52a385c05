package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// writers work at the same time, each on an object of its own.
const writers = 8

// two writes through one server and at once reads through another (OTHER, a kubeconfig) on the same etcd, ROUNDS times:
// neither a GET nor a LIST is ever older than the write.
func two(ctx context.Context, config *rest.Config, namespace string) error {
	rounds, err := strconv.Atoi(os.Getenv("ROUNDS"))
	if err != nil {
		return fmt.Errorf("ROUNDS: %w", err)
	}
	there, err := clientcmd.BuildConfigFromFlags("", os.Getenv("OTHER"))
	if err != nil {
		return fmt.Errorf("OTHER: %w", err)
	}
	there.QPS = -1
	write, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	read, err := kubernetes.NewForConfig(there)
	if err != nil {
		return err
	}
	// the full count takes longer than any other flow
	ctx = context.WithoutCancel(ctx)
	failures := make(chan error, writers)
	var all sync.WaitGroup
	for writer := range writers {
		all.Go(func() {
			pair := pair{write.CoreV1().ConfigMaps(namespace), read.CoreV1().ConfigMaps(namespace)}
			if err := pair.rounds(ctx, fmt.Sprintf("map-%d", writer), rounds/writers); err != nil {
				failures <- err
			}
		})
	}
	all.Wait()
	close(failures)
	fmt.Printf("%d writes through one server, each read by GET and LIST through the other\n", rounds)
	return <-failures
}

// pair is the same objects behind two servers.
type pair struct {
	write, read corev1client.ConfigMapInterface
}

func (p pair) rounds(ctx context.Context, name string, rounds int) error {
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	written, err := p.write.Create(ctx, object, metav1.CreateOptions{})
	for round := 0; err == nil && round < rounds; round++ {
		if err = p.fresh(ctx, written); err != nil {
			break
		}
		written.Data = map[string]string{"round": strconv.Itoa(round)}
		written, err = p.write.Update(ctx, written, metav1.UpdateOptions{})
	}
	return err
}

func (p pair) fresh(ctx context.Context, written *corev1.ConfigMap) error {
	got, err := p.read.Get(ctx, written.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if err := must(got.ResourceVersion == written.ResourceVersion, "GET is stale: %v after %v", got, written); err != nil {
		return err
	}
	listed, err := p.read.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, item := range listed.Items {
		if item.Name == written.Name {
			return must(item.ResourceVersion == written.ResourceVersion, "LIST is stale: %v after %v", item, written)
		}
	}
	return fmt.Errorf("LIST is stale: %s is not there", written.Name)
}
