package desired

import (
	"math"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

// Names of the volumes of a site's pod.
const (
	volumeRun       = "run"
	volumeTmp       = "tmp"
	volumeNginx     = "nginx-config"
	volumeApp       = "app-config"
	volumeDatabase  = "database"
	volumeSFTP      = "sftp"
	volumeWordPress = "wordpress-admin"
)

const (
	pathDatabase       = "/etc/kubepanel/database"
	pathSFTP           = "/etc/kubepanel/sftp"
	pathWordPressAdmin = "/etc/kubepanel/wordpress-admin"
)

// runSize is for sockets and a keeper's few lines.
const runSize = "16Mi"

// secretMode lets the site's group read a Secret's files, and nobody change them.
const secretMode = 0o440

func (s Site) volumes() []corev1.Volume {
	volumes := []corev1.Volume{
		{Name: VolumeName, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: VolumeName}}},
		emptyDir(volumeRun, runSize),
		emptyDir(volumeTmp, s.tmpSize()),
		configVolume(volumeNginx, configNginx),
		configVolume(volumeApp, configApp),
		// Only what the server needs to check who comes: neither the password itself
		// nor the customer's private key.
		secretVolume(volumeSFTP, SecretSFTP, KeyUsername, KeyPasswordHash, KeyHostKey, KeyPublicKey, keyAuthorizedKeys, keyGateway, keyDocumentRoot),
		// Empty while there is no database, so that one can come without a restart.
		optional(secretVolume(volumeDatabase, SecretDatabase)),
	}
	if s.wordPress() {
		volumes = append(volumes, secretVolume(volumeWordPress, SecretWordPress))
	}
	return volumes
}

// tmpSize has room for uploads on their way through nginx and PHP, for sessions,
// and for the page cache. A pod that fills it is evicted, and no other. It goes in
// steps, of which nearly all sites have the first: another size is another pod.
func (s Site) tmpSize() string {
	need := resource.MustParse("1Gi")
	if body, err := resource.ParseQuantity(strings.ToUpper(s.bodySize()) + "i"); err == nil {
		body.Mul(4)
		need.Add(body)
	}
	if c := s.Domain.Spec.Webserver.Cache; c.Enabled {
		if cache, err := resource.ParseQuantity(orDefault(c.Size, "512Mi")); err == nil {
			need.Add(cache)
		}
	}
	const gibibyte = 1 << 30
	step := int64(2 * gibibyte)
	for step < need.Value() && step < math.MaxInt64/2 {
		step *= 2
	}
	return resource.NewQuantity(step, resource.BinarySI).String()
}

func emptyDir(name, size string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: ptr.To(resource.MustParse(size))},
	}}
}

func configVolume(name, config string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: config}, DefaultMode: ptr.To[int32](0o444),
	}}}
}

// secretVolume shows those keys of a Secret as files, all when none is named.
func secretVolume(name, secret string, keys ...string) corev1.Volume {
	var items []corev1.KeyToPath
	for _, key := range keys {
		items = append(items, corev1.KeyToPath{Key: key, Path: key})
	}
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
		SecretName: secret, DefaultMode: ptr.To[int32](secretMode), Items: items,
	}}}
}

// optional lets a pod start without the Secret.
func optional(v corev1.Volume) corev1.Volume {
	v.Secret.Optional = ptr.To(true)
	return v
}

// mounts of a container: its own /tmp, and whatever else it is given.
func mounts(container string, more ...corev1.VolumeMount) []corev1.VolumeMount {
	return append(more, corev1.VolumeMount{Name: volumeTmp, MountPath: "/tmp", SubPath: container})
}

func readOnly(volume, path string) corev1.VolumeMount {
	return corev1.VolumeMount{Name: volume, MountPath: path, ReadOnly: true}
}

func writable(volume, path string) corev1.VolumeMount {
	return corev1.VolumeMount{Name: volume, MountPath: path}
}
