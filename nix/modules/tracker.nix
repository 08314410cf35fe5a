# NixOS module of the tracker: pages, the worker behind them, and nginx before them.
#
# It is parsed and evaluated against nix/tests/module-stub.nix, a small stand-in of the module system (stage
# test.d/45-tracker-operate); it was NOT evaluated against NixOS.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkDefault mkEnableOption mkIf mkMerge mkOption optional optionalAttrs types;
  cfg = config.services.rootstock-tracker;
  toml = pkgs.formats.toml { };
  file = toml.generate "rootstock-tracker.toml" cfg.settings;

  databaseCredential = optional (cfg.databaseFile != null) "database:${cfg.databaseFile}";
  keyCredential = optional (cfg.worker.nvdKeyFile != null) "nvd-key:${cfg.worker.nvdKeyFile}";

  # One hardened unit; both run as one user, who exists while either runs.
  unit = { description, command, credentials, memoryMax }: {
    inherit description;
    wantedBy = [ "multi-user.target" ];
    wants = [ "network-online.target" ];
    after = [ "network-online.target" "postgresql.service" ];
    environment.ROOTSTOCK_CONFIG = "${file}";
    serviceConfig = {
      Type = "exec";
      ExecStart = "${cfg.package}/bin/rootstock-tracker ${command}";
      TimeoutStopSec = 60;
      Restart = "on-failure";
      RestartSec = 5;
      LimitNOFILE = 4096;
      MemoryMax = memoryMax;
      LoadCredential = credentials;

      DynamicUser = true;
      User = "rootstock-tracker";
      StateDirectory = "rootstock-tracker";
      StateDirectoryMode = "0700";
      WorkingDirectory = "%S/rootstock-tracker";
      UMask = "0077";

      CapabilityBoundingSet = "";
      AmbientCapabilities = "";
      NoNewPrivileges = true;
      ProtectSystem = "strict";
      ProtectHome = true;
      PrivateTmp = true;
      PrivateDevices = true;
      DevicePolicy = "closed";
      PrivateUsers = true;
      PrivateIPC = true;
      ProtectProc = "invisible";
      ProcSubset = "pid";
      ProtectClock = true;
      ProtectHostname = true;
      ProtectKernelLogs = true;
      ProtectKernelModules = true;
      ProtectKernelTunables = true;
      ProtectControlGroups = true;
      RestrictAddressFamilies = [ "AF_INET" "AF_INET6" "AF_UNIX" ];
      RestrictNamespaces = true;
      RestrictRealtime = true;
      RestrictSUIDSGID = true;
      RemoveIPC = true;
      LockPersonality = true;
      MemoryDenyWriteExecute = true;
      SystemCallArchitectures = "native";
      SystemCallFilter = [ "@system-service" "~@privileged @resources" ];
      SystemCallErrorNumber = "EPERM";
    } // optionalAttrs (cfg.environmentFile != null) { EnvironmentFile = cfg.environmentFile; };
  };
in
{
  options.services.rootstock-tracker = {
    enable = mkEnableOption "the Rootstock vulnerability tracker";

    package = mkOption {
      type = types.package;
      default = pkgs.rootstock-tracker;
      description = "The program.";
    };

    settings = mkOption {
      type = toml.type;
      default = { };
      example = { log = "info"; worker.feed-url = [ "kev=https://mirror.example.org/kev.json" ]; };
      description = "The configuration file; docs/reference/tracker-config.md lists its keys. It is readable by all: secrets belong in `databaseFile`, `worker.nvdKeyFile` or `environmentFile`.";
    };

    database = mkOption {
      type = types.str;
      default = "sqlite:/var/lib/rootstock-tracker/tracker.db";
      example = "postgres:///rootstock-tracker?host=/run/postgresql";
      description = "Address of the database.";
    };

    databaseFile = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "File that holds the address of the database, if there is a password in it; instead of `database`.";
    };

    listen = mkOption {
      type = types.str;
      default = "127.0.0.1:8080";
      description = "Address and port of the pages.";
    };

    metricsListen = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "127.0.0.1:9108";
      description = "Address and port of `/metrics`, if not beside the pages.";
    };

    environmentFile = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "File of variables (ROOTSTOCK_…), which go before the settings.";
    };

    worker = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether a worker runs here: feeds and channels are followed, and what changed is matched.";
      };
      channels = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "nixos-unstable" ];
        description = "Channels whose releases are followed.";
      };
      memoryMax = mkOption {
        type = types.str;
        default = "4G";
        description = "Most memory that the worker may take.";
      };
      nvdKeyFile = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "File that holds the key for NVD's API.";
      };
    };

    nginx = {
      enable = mkEnableOption "nginx before the tracker";
      hostName = mkOption {
        type = types.str;
        default = "localhost";
        example = "tracker.example.org";
        description = "Name of the site.";
      };
    };
  };

  config = mkIf cfg.enable (mkMerge [
    {
      services.rootstock-tracker.settings = mkMerge [
        {
          log = mkDefault "info";
          log-format = mkDefault "json";
          serve.listen = cfg.listen;
        }
        (if cfg.databaseFile == null then { inherit (cfg) database; } else { database-file = "credential:database"; })
        (mkIf (cfg.metricsListen != null) { serve.metrics-listen = cfg.metricsListen; })
        (mkIf (cfg.worker.nvdKeyFile != null) { worker.nvd-key-file = "credential:nvd-key"; })
        (mkIf (cfg.worker.channels != [ ]) { worker.channel = cfg.worker.channels; })
      ];

      systemd.services.rootstock-tracker = unit {
        description = "Rootstock tracker: pages";
        command = "serve";
        credentials = databaseCredential;
        memoryMax = "1G";
      };
    }

    (mkIf cfg.worker.enable {
      systemd.services.rootstock-tracker-worker = unit {
        description = "Rootstock tracker: jobs";
        command = "worker";
        credentials = databaseCredential ++ keyCredential;
        memoryMax = cfg.worker.memoryMax;
      };
    })

    (mkIf cfg.nginx.enable {
      services.nginx = {
        enable = true;
        virtualHosts.${cfg.nginx.hostName}.locations = {
          "/" = {
            proxyPass = "http://${cfg.listen}";
            extraConfig = "proxy_set_header X-Request-Id $request_id;";
          };
          "= /metrics".return = "404";
          "= /readyz".return = "404";
        };
      };
    })
  ]);
}
