# NixOS module: signed boot entries by Rootstock, in place of systemd-boot's or lanzaboote's installer.
#
# Written for NixOS 25.11 and later. Evaluated in the tests by Nix alone, against a stand-in for the module system
# (nix/tests/boot-module.nix); it was not evaluated against NixOS itself.
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
    mkEnableOption
    mkIf
    mkOption
    optional
    optionals
    types
    ;

  architectures = {
    x86_64-linux = "x64";
    aarch64-linux = "aa64";
  };
  architecture = architectures.${pkgs.stdenv.hostPlatform.system};

  volumes =
    concatMap (esp: [
      "--esp"
      esp
    ]) cfg.efiSystemPartitions
    ++ concatMap (folder: [
      "--xbootldr"
      folder
    ]) cfg.extendedBootPartitions;

  signing =
    if cfg.signing.key == null then
      [ "--unsigned" ]
    else
      [
        "--key"
        cfg.signing.key
        "--certificate"
        (toString cfg.signing.certificate)
      ]
      ++ optionals (cfg.signing.pinFile != null) [
        "--pin-file"
        cfg.signing.pinFile
      ];

  policy = optionals (cfg.policy.key != null) (
    [
      "--policy-key"
      cfg.policy.key
      "--policy-bank"
      (concatStringsSep "," cfg.policy.banks)
    ]
    ++ optionals (cfg.policy.certificate != null) [
      "--policy-certificate"
      (toString cfg.policy.certificate)
    ]
  );

  # A policy that lives in the TPM goes ahead of what is installed.
  stored = optionals (cfg.policy.stored != null) [
    "--stored-policy"
    cfg.policy.stored
  ];

  # The installer holds entries to the floor, and the service raises it.
  floor = optionals (cfg.policy.floor != null) [
    "--floor"
    cfg.policy.floor
  ];

  arguments =
    volumes
    ++ signing
    ++ policy
    ++ stored
    ++ floor
    ++ [
      "--stub"
      cfg.stub
      "--limit"
      (toString cfg.configurationLimit)
    ]
    ++ optionals cfg.loader.install [
      "--loader"
      "${cfg.loader.package}/lib/systemd/boot/efi/systemd-boot${architecture}.efi"
    ]
    ++ optionals (cfg.loader.timeout != null) [
      "--timeout"
      (toString cfg.loader.timeout)
    ]
    ++ optionals (cfg.loader.consoleMode != null) [
      "--console-mode"
      cfg.loader.consoleMode
    ]
    ++ optional cfg.loader.editor "--editor"
    ++ optional cfg.loader.updateSingle "--update-single-loader"
    ++ optionals cfg.bootCounting.enable [
      "--tries"
      (toString cfg.bootCounting.tries)
    ]
    ++ optional cfg.withoutInitrdSecrets "--without-initrd-secrets"
    ++ optional cfg.runInitrdSecrets "--run-initrd-secrets";

  # NixOS calls the hook with the top-level folder that is to start by default.
  hook = pkgs.writeShellScript "rootstock-install" ''
    exec ${cfg.package}/bin/rootstock-boot install ${escapeShellArgs arguments} --default "$1"
  '';
in
{
  imports = [ ./boot-initrd.nix ];

  options.boot.rootstock = {
    enable = mkEnableOption "signed boot entries by Rootstock";

    package = mkOption {
      type = types.package;
      description = "The package with `bin/rootstock-boot` and, unless `stub` and `initrd.program` say otherwise, `lib/rootstock/rootstock-stub-ARCHITECTURE.efi` and, for `initrd.enable`, `lib/rootstock/boot-init`.";
    };

    stub = mkOption {
      type = types.str;
      default = "${cfg.package}/lib/rootstock/rootstock-stub-${architecture}.efi";
      defaultText = lib.literalExpression ''"''${config.boot.rootstock.package}/lib/rootstock/rootstock-stub-ARCHITECTURE.efi"'';
      example = "/var/lib/boot/rootstock-stub.efi";
      description = "The stub that entries are made on, built from the folder `uefi` of Rootstock's source.";
    };

    efiSystemPartitions = mkOption {
      type = types.nonEmptyListOf types.str;
      default = [ config.boot.loader.efi.efiSysMountPoint ];
      defaultText = lib.literalExpression "[ config.boot.loader.efi.efiSysMountPoint ]";
      example = [
        "/boot"
        "/boot2"
      ];
      description = "Where EFI system partitions are mounted. All of them get the same files; the first one's boot counters count.";
    };

    extendedBootPartitions = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Where extended boot partitions (XBOOTLDR) are mounted, one for each EFI system partition in the same order. They take the entries.";
    };

    configurationLimit = mkOption {
      type = types.ints.unsigned;
      default = 0;
      description = "How many generations are installed, the newest; 0 for all. The running, the default and the last good one stay besides.";
    };

    withoutInitrdSecrets = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to install although `boot.initrd.secrets` cannot be: the program that appends them would put them on the partition in plain.";
    };

    runInitrdSecrets = mkOption {
      type = types.bool;
      default = false;
      description = "Whether to run the program that appends `boot.initrd.secrets`. They lie on the partition in plain then; encrypted credentials do not.";
    };

    signing = {
      key = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "pkcs11:token=boot;object=db?module-path=/run/current-system/sw/lib/opensc-pkcs11.so";
        description = "The key: a file outside of the store, a PKCS#11 URI, or `offline:FOLDER` for request files. Null signs nothing, for machines without Secure Boot.";
      };

      certificate = mkOption {
        type = types.nullOr types.path;
        default = null;
        description = "The certificate that belongs to the key.";
      };

      pinFile = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "File whose first line is the PIN or passphrase. Without it, it is asked for on the terminal.";
      };
    };

    policy = {
      key = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "/var/lib/boot/pcr.key";
        description = "The RSA key that signs PCR policies into every entry: a file outside of the store, a PKCS#11 URI, or `offline:FOLDER`. Null signs none.";
      };

      certificate = mkOption {
        type = types.nullOr types.path;
        default = null;
        description = "The certificate that belongs to it; only an offline key needs it.";
      };

      floor = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "1";
        description = "What `rootstock-boot floor define` said that this TPM's counter starts at, with `@INDEX` behind it where the counter has another NV index than 0x01d10700. Entries are held to the floor then, by signed policies and by the stored one, and it follows the generations that start well. systemd's initrd unlocks by neither. Null holds them to none.";
      };

      stored = mkOption {
        type = types.nullOr types.str;
        default = null;
        example = "/var/lib/systemd/pcrlock.json";
        description = "The file of a policy in the TPM, once `rootstock-boot pcrlock store` has stored it. Each installation stores it anew before it writes: with the boots that may come, and the running system's. Null leaves it alone.";
      };

      banks = mkOption {
        type = types.nonEmptyListOf (
          types.enum [
            "sha1"
            "sha256"
            "sha384"
            "sha512"
          ]
        );
        default = [ "sha256" ];
        description = "Banks of the TPM that policies are signed for.";
      };
    };

    epoch = mkOption {
      type = types.ints.unsigned;
      default = 0;
      description = "The security epoch of this configuration. Raise it when older generations must not unlock the disk any more: once one of the new epoch has started well, the TPM refuses those of lower epochs.";
    };

    loader = {
      install = mkOption {
        type = types.bool;
        default = true;
        description = "Whether to install systemd-boot and its configuration too.";
      };

      package = mkOption {
        type = types.package;
        default = config.systemd.package;
        defaultText = lib.literalExpression "config.systemd.package";
        description = "The package with systemd-boot.";
      };

      timeout = mkOption {
        type = types.nullOr types.ints.unsigned;
        default = config.boot.loader.timeout;
        defaultText = lib.literalExpression "config.boot.loader.timeout";
        description = "Seconds that the menu is shown.";
      };

      consoleMode = mkOption {
        type = types.nullOr (
          types.enum [
            "0"
            "1"
            "2"
            "auto"
            "max"
            "keep"
          ]
        );
        default = null;
        description = "The loader's console mode.";
      };

      editor = mkOption {
        type = types.bool;
        default = false;
        description = "Whether the command line may be edited in the menu; never possible with Secure Boot on.";
      };

      updateSingle = mkOption {
        type = types.bool;
        default = false;
        description = "Whether to update systemd-boot although another program is at the fallback path, so that for a moment no copy of it is there.";
      };
    };

    bootCounting = {
      enable = mkEnableOption "boot counting: a generation that does not come up is given up by itself";

      tries = mkOption {
        type = types.ints.between 1 99;
        default = 3;
        description = "How often a new generation is tried.";
      };
    };
  };

  config = mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.signing.key == null || cfg.signing.certificate != null;
        message = "boot.rootstock.signing.key needs boot.rootstock.signing.certificate.";
      }
      {
        assertion = cfg.signing.key == null || !lib.hasPrefix "/nix/store" cfg.signing.key;
        message = "boot.rootstock.signing.key: a key in the store can be read by everybody.";
      }
      {
        assertion = !(cfg.withoutInitrdSecrets && cfg.runInitrdSecrets);
        message = "boot.rootstock: secrets are either left out or appended, not both.";
      }
      {
        assertion = cfg.policy.key == null || !lib.hasPrefix "/nix/store" cfg.policy.key;
        message = "boot.rootstock.policy.key: a key in the store can be read by everybody.";
      }
      {
        assertion = cfg.policy.floor == null || cfg.policy.key != null || cfg.policy.stored != null;
        message = "boot.rootstock.policy.floor needs boot.rootstock.policy.key or policy.stored: without policies nothing is held to the floor.";
      }
      {
        assertion =
          cfg.policy.floor == null
          || builtins.match "[0-9]+(@0x01[0-9a-f]{6})?" cfg.policy.floor != null;
        message = "boot.rootstock.policy.floor: expected a number, and `@0x01......` where the counter has another index.";
      }
      {
        assertion =
          cfg.extendedBootPartitions == [ ]
          || builtins.length cfg.extendedBootPartitions == builtins.length cfg.efiSystemPartitions;
        message = "boot.rootstock.extendedBootPartitions: name one for each EFI system partition, or none.";
      }
      {
        assertion = architectures ? ${pkgs.stdenv.hostPlatform.system};
        message = "boot.rootstock: there is a stub for x86_64 and aarch64 alone.";
      }
    ];

    boot.bootspec = {
      enable = true;
      extensions = mkIf (cfg.epoch > 0) {
        "org.rootstock.epoch.v1" = {
          inherit (cfg) epoch;
        };
      };
    };

    boot.loader = {
      grub.enable = false;
      systemd-boot.enable = false;
      supportsInitrdSecrets = cfg.withoutInitrdSecrets || cfg.runInitrdSecrets;
      external = {
        enable = true;
        installHook = hook;
      };
    };

    environment.systemPackages = [ cfg.package ];

    # systemd's own service would rename the entry in place; this one copies it first.
    systemd.services = mkIf (cfg.bootCounting.enable || cfg.policy.floor != null) {
      systemd-bless-boot.enable = false;
      rootstock-bless = {
        description = "Mark the running boot entry as good";
        documentation = [ "man:rootstock-boot-bless(1)" ];
        wantedBy = [ "multi-user.target" ];
        requires = [ "boot-complete.target" ];
        after = [ "boot-complete.target" ];
        conflicts = [ "shutdown.target" ];
        before = [ "shutdown.target" ];
        unitConfig.DefaultDependencies = false;
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${cfg.package}/bin/rootstock-boot bless ${escapeShellArgs (volumes ++ floor)}";
        };
      };
    };
  };
}
