// Package service speaks CSI (container-storage-interface/spec) for a pool: it checks requests, calls the pool and
// turns its errors into gRPC's codes. What a volume is on the disk is the pool's business alone.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
)

const (
	// Name of the driver, in StorageClasses and on every volume: it can never change.
	Name = "btrfs.kubepanel.io"
	// topologyKey tells the nodes apart: a volume is where its pool is.
	topologyKey = Name + "/node"
	version     = "0.1.0"
)

// Service answers kubelet and the controllers.
type Service struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	csi.UnimplementedNodeServer
	// Pool holds the volumes.
	Pool *pool.Pool
	// Node is the name of the node that the pool is on.
	Node string
	Log  *slog.Logger
}

// Serve answers on a socket until ctx ends.
func (s *Service) Serve(ctx context.Context, socket string) error {
	return serve(ctx, socket, s.Log, func(server *grpc.Server) {
		csi.RegisterIdentityServer(server, s)
		csi.RegisterControllerServer(server, s)
		csi.RegisterNodeServer(server, s)
		server.RegisterService(&usageService, s)
	})
}

// serve listens on a socket that only root reaches, whatever a dead process left there.
func serve(ctx context.Context, socket string, log *slog.Logger, register func(*grpc.Server)) error {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("listen: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), listener.Close())
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(logged(log)))
	register(server)
	stop := context.AfterFunc(ctx, server.GracefulStop)
	defer stop()
	return server.Serve(listener)
}

// logged writes what failed. Requests carry no secrets: the driver asks for none.
func logged(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		answer, err := handle(ctx, request)
		if err != nil {
			log.Error("call", "method", info.FullMethod, "error", err)
		}
		return answer, err
	}
}

// failure gives a pool's error the code that CSI asks for.
func failure(err error) error {
	if err == nil {
		return nil
	}
	for known, code := range map[error]codes.Code{
		pool.ErrNotFound: codes.NotFound,
		pool.ErrDiffers:  codes.AlreadyExists,
		pool.ErrInUse:    codes.FailedPrecondition,
	} {
		if errors.Is(err, known) {
			return status.Error(code, err.Error())
		}
	}
	if large, ok := errors.AsType[*pool.TooLarge](err); ok {
		return tooLarge(large)
	}
	return status.Error(codes.Internal, err.Error())
}

// missing refuses a request that lacks what it must have: pairs of a field's name and its value.
func missing(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return status.Errorf(codes.InvalidArgument, "%s is missing", pairs[i])
		}
	}
	return nil
}

// GetPluginInfo tells who this is.
func (s *Service) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: Name, VendorVersion: version}, nil
}

// GetPluginCapabilities tells what it offers as a whole.
func (s *Service) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	offers := func(kind csi.PluginCapability_Service_Type) *csi.PluginCapability {
		return &csi.PluginCapability{Type: &csi.PluginCapability_Service_{Service: &csi.PluginCapability_Service{Type: kind}}}
	}
	return &csi.GetPluginCapabilitiesResponse{Capabilities: []*csi.PluginCapability{
		offers(csi.PluginCapability_Service_CONTROLLER_SERVICE),
		offers(csi.PluginCapability_Service_VOLUME_ACCESSIBILITY_CONSTRAINTS),
		{Type: &csi.PluginCapability_VolumeExpansion_{VolumeExpansion: &csi.PluginCapability_VolumeExpansion{
			Type: csi.PluginCapability_VolumeExpansion_ONLINE,
		}}},
	}}, nil
}

// Probe tells whether the pool answers.
func (s *Service) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	if _, _, err := s.Pool.Capacity(); err != nil {
		return nil, status.Error(codes.FailedPrecondition, err.Error())
	}
	return &csi.ProbeResponse{}, nil
}
