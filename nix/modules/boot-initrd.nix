# NixOS module: Rootstock's initrd, which unlocks an encrypted root by the TPM for what was enrolled, in place of NixOS' own.
#
# Part of boot.nix, and evaluated with it in the tests against a stand-in for the module system; it was not evaluated against
# NixOS itself.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  cfg = config.boot.rootstock;
  inherit (lib)
    concatMap
    concatStringsSep
    escapeShellArgs
    filter
    hasPrefix
    mkEnableOption
    mkForce
    mkIf
    mkOption
    optional
    types
    ;

  uuid = "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}";

  root = config.fileSystems."/";

  # What NixOS mounts before its first program starts (utils.fsNeededForBoot); this initrd mounts the root alone.
  early = [
    "/nix"
    "/nix/store"
    "/var"
    "/var/log"
    "/var/lib"
    "/var/lib/nixos"
    "/etc"
    "/usr"
  ];
  others = filter (
    place: place != "/" && (builtins.elem place early || config.fileSystems.${place}.neededForBoot)
  ) (builtins.attrNames config.fileSystems);

  # Options that are for `mount` or for systemd and not for the file system. NixOS mounts the root again with all of them.
  generic = [
    "auto"
    "defaults"
    "dev"
    "diratime"
    "dirsync"
    "exec"
    "lazytime"
    "noatime"
    "nodev"
    "nodiratime"
    "noexec"
    "nofail"
    "norelatime"
    "nostrictatime"
    "nosuid"
    "relatime"
    "ro"
    "rw"
    "strictatime"
    "suid"
    "sync"
  ];
  rootFlags = filter (
    option: !builtins.elem option generic && !hasPrefix "x-" option
  ) root.options;

  words =
    optional (cfg.initrd.volume != null) "rd.luks.name=${cfg.initrd.volume}=${cfg.initrd.name}"
    ++ optional cfg.initrd.discard "rd.luks.options=discard"
    ++ [ "root=${root.device}" ]
    ++ optional (root.fsType != "auto") "rootfstype=${root.fsType}"
    ++ optional (rootFlags != [ ]) "rootflags=${concatStringsSep "," rootFlags}"
    ++ cfg.initrd.words;

  inherit (config.boot.kernelPackages.kernel) modDirVersion;

  arguments = [
    "--init"
    cfg.initrd.program
    "--modules"
    "${config.system.modulesTree}/lib/modules/${modDirVersion}"
    # NixOS names drivers that not every kernel has.
    "--allow-missing"
    "--words"
    (concatStringsSep " " words)
  ]
  ++ concatMap (module: [
    "--module"
    module
  ]) cfg.initrd.modules;

  initrd = pkgs.runCommand "rootstock-initrd" { } ''
    mkdir "$out"
    ${cfg.package}/bin/rootstock-boot initrd build ${escapeShellArgs arguments} --output "$out"/${config.system.boot.loader.initrdFile}
  '';
in
{
  options.boot.rootstock.initrd = {
    enable = mkEnableOption "Rootstock's initrd in place of NixOS' own: it unlocks an encrypted root by the TPM, down to the floor, and asks for a passphrase or recovery key where the TPM refuses";

    program = mkOption {
      type = types.str;
      default = "${cfg.package}/lib/rootstock/boot-init";
      defaultText = lib.literalExpression ''"''${config.boot.rootstock.package}/lib/rootstock/boot-init"'';
      description = "The initrd's program, `boot-init`, linked statically.";
    };

    volume = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "0fd5a7d5-1b2c-4c0d-9c61-5e1c4b1c8b11";
      description = "UUID of the LUKS2 volume, as `cryptsetup luksUUID` tells it. Null for the only one there is.";
    };

    name = mkOption {
      type = types.str;
      default = "root";
      description = "Name of the mapping of `volume`, under `/dev/mapper`.";
    };

    discard = mkOption {
      type = types.bool;
      default = false;
      description = "Whether free blocks are told to the disk. It shows which blocks are used.";
    };

    modules = mkOption {
      type = types.listOf types.str;
      default = config.boot.initrd.availableKernelModules ++ config.boot.initrd.kernelModules ++ [ root.fsType ];
      defaultText = lib.literalExpression ''config.boot.initrd.availableKernelModules ++ config.boot.initrd.kernelModules ++ [ config.fileSystems."/".fsType ]'';
      description = "Modules of the kernel that the initrd carries and loads, with what they need: the disk's driver and the root's file system. Those that the kernel does not have are left out; what unlocking needs is always there.";
    };

    words = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "rootwait=60" ];
      description = "More words that go before the kernel's command line.";
    };
  };

  config = mkIf (cfg.enable && cfg.initrd.enable) {
    assertions = [
      {
        assertion = cfg.initrd.volume == null || builtins.match uuid cfg.initrd.volume != null;
        message = "boot.rootstock.initrd.volume: expected a UUID, as `cryptsetup luksUUID` tells it.";
      }
      {
        assertion = others == [ ];
        message = "boot.rootstock.initrd mounts the root alone, and these are needed before the system starts: ${concatStringsSep ", " others}.";
      }
      {
        assertion = !config.boot.initrd.systemd.enable;
        message = "boot.rootstock.initrd takes the place of systemd's: boot.initrd.systemd.enable must be off.";
      }
      {
        assertion = root.device != null && hasPrefix "/dev/" root.device;
        message = "boot.rootstock.initrd: fileSystems.\"/\".device must be a device, such as /dev/mapper/${cfg.initrd.name}.";
      }
    ];

    # What the generation's Bootspec document and its image get.
    system.build.initialRamdisk = mkForce initrd;
  };
}
