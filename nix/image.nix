# OCI image of the tracker, layered by store path, without a shell.
{ dockerTools, cacert, rootstock-tracker }:
dockerTools.buildLayeredImage {
  name = "rootstock-tracker";
  tag = rootstock-tracker.version;
  contents = [ rootstock-tracker cacert ];
  extraCommands = "mkdir -p tmp var/lib/rootstock-tracker && chmod 1777 tmp var/lib/rootstock-tracker";
  config = {
    Entrypoint = [ "/bin/rootstock-tracker" ];
    Cmd = [ "serve" ];
    User = "10001:10001";
    WorkingDir = "/var/lib/rootstock-tracker";
    Env = [
      "ROOTSTOCK_DATABASE=sqlite:/var/lib/rootstock-tracker/tracker.db"
      "ROOTSTOCK_LISTEN=0.0.0.0:8080"
      "ROOTSTOCK_LOG=info"
      "ROOTSTOCK_LOG_FORMAT=json"
    ];
    ExposedPorts."8080/tcp" = { };
    Volumes."/var/lib/rootstock-tracker" = { };
    StopSignal = "SIGTERM";
  };
}
