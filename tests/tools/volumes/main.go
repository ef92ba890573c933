// Volumes for claims, of the kind that kind's local-path provisioner makes: a folder on the node where the first pod goes.
//
//	volumes --kubeconfig=FILE --folder=FOLDER
//
// It looks at all claims and volumes, makes right what is not, and looks again a moment later: it may be killed at any line.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"path/filepath"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	provisioner     = "penstock.dev/test-volumes"
	wantedFrom      = "volume.kubernetes.io/storage-provisioner"
	selectedNode    = "volume.kubernetes.io/selected-node"
	madeBy          = "pv.kubernetes.io/provisioned-by"
	betweenTwoLooks = 500 * time.Millisecond
)

type volumes struct {
	client kubernetes.Interface
	root   string
}

// lookOnce makes the volumes that claims wait for, and removes those whose claims are gone.
func (all volumes) lookOnce(ctx context.Context) error {
	claims, err := all.client.CoreV1().PersistentVolumeClaims("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, claim := range claims.Items {
		if claim.Status.Phase == v1.ClaimPending && claim.Annotations[wantedFrom] == provisioner && claim.Annotations[selectedNode] != "" {
			if err := all.create(ctx, &claim); err != nil {
				log.Print(err)
			}
		}
	}
	made, err := all.client.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, volume := range made.Items {
		if volume.Status.Phase == v1.VolumeReleased && volume.Annotations[madeBy] == provisioner {
			if err := all.remove(ctx, volume.Name); err != nil {
				log.Print(err)
			}
		}
	}
	return nil
}

// create makes the folder, then the volume, under a name that is the claim's own: it exists already where we were killed.
func (all volumes) create(ctx context.Context, claim *v1.PersistentVolumeClaim) error {
	name := "claim-" + string(claim.UID)
	path := filepath.Join(all.root, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	// What the umask took: any user of a pod may write, as to a folder of kind's.
	if err := os.Chmod(path, 0o777); err != nil {
		return err
	}
	_, err := all.client.CoreV1().PersistentVolumes().Create(ctx, volume(name, path, claim), metav1.CreateOptions{})
	if errors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func volume(name, path string, claim *v1.PersistentVolumeClaim) *v1.PersistentVolume {
	here := v1.NodeSelectorRequirement{
		Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{claim.Annotations[selectedNode]},
	}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{madeBy: provisioner}},
		Spec: v1.PersistentVolumeSpec{
			StorageClassName:              *claim.Spec.StorageClassName,
			PersistentVolumeReclaimPolicy: v1.PersistentVolumeReclaimDelete,
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{
				NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchExpressions: []v1.NodeSelectorRequirement{here}}},
			}},
			ClaimRef: &v1.ObjectReference{
				Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
		},
	}
}

func (all volumes) remove(ctx context.Context, name string) error {
	if err := os.RemoveAll(filepath.Join(all.root, name)); err != nil {
		return err
	}
	return all.client.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{})
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "who we are to the API server")
	root := flag.String("folder", "", "where the volumes are")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	for {
		if err := (volumes{client, *root}).lookOnce(context.Background()); err != nil {
			log.Print(err)
		}
		time.Sleep(betweenTwoLooks)
	}
}
