package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// NodeGetInfo tells which node's pool this is.
func (s *Service) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: s.Node, AccessibleTopology: &csi.Topology{Segments: map[string]string{topologyKey: s.Node}}}, nil
}

// NodePublishVolume shows a volume in a pod's folder.
func (s *Service) NodePublishVolume(_ context.Context, r *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	if err := missing("volume_id", r.GetVolumeId(), "target_path", r.GetTargetPath()); err != nil {
		return nil, err
	}
	if r.GetVolumeCapability() == nil {
		return nil, status.Error(codes.InvalidArgument, "volume_capability is missing")
	}
	if why := unusable([]*csi.VolumeCapability{r.GetVolumeCapability()}); why != "" {
		return nil, status.Error(codes.InvalidArgument, why)
	}
	volume, err := s.Pool.Volume(r.GetVolumeId())
	if err != nil {
		return nil, failure(err)
	}
	if err := s.alone(r); err != nil {
		return nil, err
	}
	readOnly := r.GetReadonly() || r.GetVolumeCapability().GetAccessMode().GetMode() == csi.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY
	if err := show(volume.Path, r.GetTargetPath(), readOnly); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

// alone keeps a volume that one pod may use (ReadWriteOncePod) from a second one.
func (s *Service) alone(r *csi.NodePublishVolumeRequest) error {
	if r.GetVolumeCapability().GetAccessMode().GetMode() != csi.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER {
		return nil
	}
	places, err := s.Pool.Mounted(r.GetVolumeId())
	if err != nil {
		return failure(err)
	}
	for _, place := range places {
		if place != filepath.Clean(r.GetTargetPath()) {
			return status.Errorf(codes.FailedPrecondition, "the volume is in use at %s, and may be by one pod alone", place)
		}
	}
	return nil
}

// NodeUnpublishVolume takes a volume out of a pod's folder.
func (s *Service) NodeUnpublishVolume(_ context.Context, r *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	if err := missing("volume_id", r.GetVolumeId(), "target_path", r.GetTargetPath()); err != nil {
		return nil, err
	}
	if err := hide(r.GetTargetPath()); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// NodeGetVolumeStats tells how full a volume is, by its quota: df(1) in a pod shows the whole pool.
func (s *Service) NodeGetVolumeStats(_ context.Context, r *csi.NodeGetVolumeStatsRequest) (*csi.NodeGetVolumeStatsResponse, error) {
	if err := missing("volume_id", r.GetVolumeId(), "volume_path", r.GetVolumePath()); err != nil {
		return nil, err
	}
	if shown, err := isShown(r.GetVolumePath()); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	} else if !shown {
		return nil, status.Errorf(codes.NotFound, "no volume is mounted at %s", r.GetVolumePath())
	}
	usage, err := s.Pool.Usage(r.GetVolumeId())
	if err != nil {
		return nil, failure(err)
	}
	return &csi.NodeGetVolumeStatsResponse{
		Usage: []*csi.VolumeUsage{{Unit: csi.VolumeUsage_BYTES, Available: usage.Free, Total: usage.Size, Used: usage.Used}},
	}, nil
}

// show mounts a folder at a target, in one step: whoever finds it there finds it as it has to be.
func show(folder, target string, readOnly bool) error {
	if shown, err := isShown(target); err != nil || shown {
		return err
	}
	if err := os.MkdirAll(target, 0o750); err != nil {
		return fmt.Errorf("make the place for a volume: %w", err)
	}
	tree, err := unix.OpenTree(unix.AT_FDCWD, folder, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open %s: %w", folder, err)
	}
	defer unix.Close(tree)
	set := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	if readOnly {
		set.Attr_set |= unix.MOUNT_ATTR_RDONLY
	}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &set); err != nil {
		return fmt.Errorf("prepare the mount of %s: %w", folder, err)
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount %s at %s: %w", folder, target, err)
	}
	return nil
}

// hide undoes show, whatever of it was done. A folder that is not empty is somebody's data, and stays.
func hide(target string) error {
	for {
		shown, err := isShown(target)
		if err != nil {
			return err
		}
		if !shown {
			break
		}
		if err := unix.Unmount(target, unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("unmount %s: %w", target, err)
		}
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the place of a volume: %w", err)
	}
	return nil
}

// isShown tells whether something is mounted at a folder.
func isShown(target string) (bool, error) {
	var stat unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, filepath.Clean(target), unix.AT_SYMLINK_NOFOLLOW, 0, &stat)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", target, err)
	}
	return stat.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
}
