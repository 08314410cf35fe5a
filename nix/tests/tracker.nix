# The tracker's module against the stand-in of the module system: what it makes of three configurations, and what it
# refuses. `nix-instantiate --eval --strict --json` prints it; stage test.d/45-tracker-operate compares.
let
  stub = import ./module-stub.nix;
  pkgs = {
    inherit (stub) formats;
    rootstock-tracker = { pname = "rootstock-tracker"; outPath = "/nix/store/rootstock-tracker"; };
  };
  evaluate = settings: stub.evaluate {
    inherit pkgs;
    modules = [ ../modules/tracker.nix ];
    configuration.services.rootstock-tracker = settings;
  };
  shown = settings:
    let config = evaluate settings; in {
      units = config.systemd.services or { };
      nginx = config.services.nginx or { };
      toml = ((pkgs.formats.toml { }).generate "x" config.services.rootstock-tracker.settings).text;
    };
  fails = settings: !(builtins.tryEval (builtins.deepSeq (evaluate settings) true)).success;
in
{
  off = shown { };
  plain = shown { enable = true; };
  full = shown {
    enable = true;
    databaseFile = "/run/keys/database";
    listen = "[::1]:8081";
    metricsListen = "127.0.0.1:9108";
    environmentFile = "/run/keys/tracker.env";
    worker = { nvdKeyFile = "/run/keys/nvd"; channels = [ "nixos-26.05" "nixos-unstable" ]; };
    nginx = { enable = true; hostName = "tracker.example.org"; };
    settings = {
      log = "debug";
      serve.drain = 5;
      worker.feed-url = [ "kev=https://mirror.example.org/kev.json" ];
    };
  };
  refused = {
    unknown = fails { enable = true; lisen = "x"; };
    type = fails { enable = true; listen = 8080; };
    twice = fails { enable = true; settings.serve.listen = "0.0.0.0:1"; };
    fine = !fails { enable = true; };
  };
}
