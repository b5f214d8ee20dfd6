package service

import (
	"context"
	"fmt"
	"log/slog"

	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// Registration tells kubelet where the driver is: kubelet watches a folder for sockets such as this.
type Registration struct {
	registration.UnimplementedRegistrationServer
	// Endpoint is the driver's socket, as kubelet sees it.
	Endpoint string
	Log      *slog.Logger
	// refused gets why kubelet does not want it.
	refused chan error
}

// Serve answers kubelet on a socket in its folder until ctx ends, or until it refuses the driver.
func (r *Registration) Serve(ctx context.Context, socket string) error {
	r.refused = make(chan error, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, socket, r.Log, func(server *grpc.Server) { registration.RegisterRegistrationServer(server, r) })
	}()
	select {
	case err := <-ended:
		return err
	case err := <-r.refused:
		return err
	}
}

// GetInfo tells kubelet what is offered.
func (r *Registration) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type: registration.CSIPlugin, Name: Name, Endpoint: r.Endpoint, SupportedVersions: []string{"1.0.0"},
	}, nil
}

// NotifyRegistrationStatus is kubelet's answer. After a refusal the driver ends, and tries anew when it is started again.
func (r *Registration) NotifyRegistrationStatus(_ context.Context, status *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if status.GetPluginRegistered() {
		r.Log.Info("kubelet knows the driver")
		return &registration.RegistrationStatusResponse{}, nil
	}
	select {
	case r.refused <- fmt.Errorf("kubelet refuses the driver: %s", status.GetError()):
	default:
	}
	return &registration.RegistrationStatusResponse{}, nil
}
