// Flows of clients that are written in Go, against the server of KUBECONFIG: each makes a namespace of its own, does
// what its kind of client does, and fails with what was not as it should be.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// patience is how long a flow may take.
const patience = 2 * time.Minute

// flows are those of client-go. With the tag `all` others are added, which take long to build.
var flows = map[string]func(context.Context, *rest.Config, string) error{
	"typed":    typed,
	"informer": informer,
	"two":      two,
}

func main() {
	if len(os.Args) != 2 || flows[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: flows typed|informer|two, with the tag all reconciler|chart too")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func run(name string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	config.QPS = -1
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	namespace, err := fresh(ctx, config, "go-"+name)
	if err != nil {
		return err
	}
	return flows[name](ctx, config, namespace)
}

// fresh makes a namespace that nobody else uses.
func fresh(ctx context.Context, config *rest.Config, prefix string) (string, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-"}}
	made, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("a namespace: %w", err)
	}
	return made.Name, nil
}

// must returns an error with its formatted text unless something holds.
func must(holds bool, format string, arguments ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, arguments...)
}
