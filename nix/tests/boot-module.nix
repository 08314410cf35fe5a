# Evaluates nix/modules/boot.nix and what it imports with Nix alone, against a stand-in for the parts of the NixOS module system that it uses.
# Not a test against NixOS. Run: nix-instantiate --eval --strict --json nix/tests/boot-module.nix
let
  # A stand-in for nixpkgs' `lib`: options are checked for their default and for values of the right kind.
  type = name: check: { inherit name check; };
  types = rec {
    str = type "str" builtins.isString;
    bool = type "bool" builtins.isBool;
    package = type "package" (value: value ? outPath);
    path = type "path" (value: builtins.isPath value || builtins.isString value);
    nullOr = inner: type "nullOr" (value: value == null || inner.check value);
    listOf = inner: type "listOf" (value: builtins.isList value && builtins.all inner.check value);
    nonEmptyListOf = inner: type "nonEmptyListOf" (value: (listOf inner).check value && value != [ ]);
    enum = values: type "enum" (value: builtins.elem value values);
    ints = {
      unsigned = type "unsigned" (value: builtins.isInt value && value >= 0);
      between = low: high: type "between" (value: builtins.isInt value && value >= low && value <= high);
    };
  };
  escape = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
  lib = {
    inherit types;
    inherit (builtins) concatMap concatStringsSep filter;
    mkForce = value: value;
    escapeShellArgs = list: builtins.concatStringsSep " " (map escape list);
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    literalExpression = text: text;
    mkIf = condition: value: if condition then value else { };
    mkOption = option: option // { isOption = true; };
    mkEnableOption = description: {
      isOption = true;
      type = types.bool;
      default = false;
      inherit description;
    };
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: list: if condition then list else [ ];
  };

  package = name: {
    outPath = "/nix/store/00000000000000000000000000000000-${name}";
    inherit name;
  };

  # The values of a tree of options: what is set, checked, else the default.
  valuesOf =
    path: options: set:
    let
      unknown = builtins.filter (name: !(options ? ${name})) (builtins.attrNames set);
      value =
        name: option:
        let
          here = "${path}.${name}";
          given = set.${name} or (option.default or (throw "${here} is not set"));
        in
        if option.isOption or false then
          if option ? description && option.type.check given then
            given
          else
            throw "${here}: not of type ${option.type.name}, or without description"
        else
          valuesOf here option (set.${name} or { });
    in
    if unknown == [ ] then
      builtins.mapAttrs value options
    else
      throw "${path}: unknown options ${toString unknown}";

  evaluate =
    {
      system ? "x86_64-linux",
      fileSystems ? {
        "/" = {
          device = "/dev/mapper/root";
          fsType = "ext4";
          options = [
            "noatime"
            "x-initrd.mount"
          ];
          neededForBoot = true;
        };
      },
      systemdInitrd ? false,
      ...
    }@settings:
    let
      pkgs = {
        stdenv.hostPlatform = { inherit system; };
        writeShellScript = name: text: { inherit name text; };
        runCommand = name: _: text: { inherit name text; };
      };
      config = {
        fileSystems = {
          "/boot" = {
            device = "/dev/disk/by-label/ESP";
            fsType = "vfat";
            options = [ "defaults" ];
            neededForBoot = false;
          };
        }
        // fileSystems;
        system = {
          modulesTree = package "modules";
          boot.loader.initrdFile = "initrd";
        };
        boot = {
          kernelPackages.kernel.modDirVersion = "6.12.30";
          initrd = {
            availableKernelModules = [ "nvme" ];
            kernelModules = [ "virtio_gpu" ];
            systemd.enable = systemdInitrd;
          };
          loader = {
            efi.efiSysMountPoint = "/boot";
            timeout = 5;
          };
          rootstock = valuesOf "boot.rootstock" options (
            { package = package "rootstock"; } // builtins.removeAttrs settings [
                "system"
                "fileSystems"
                "systemdInitrd"
              ]
          );
        };
        systemd.package = package "systemd";
      };
      module = import ../modules/boot.nix { inherit config lib pkgs; };
      # Each of what it imports has options of a name of its own.
      imported = map (path: import path { inherit config lib pkgs; }) module.imports;
      options = builtins.foldl' (
        all: part: all // part.options.boot.rootstock
      ) module.options.boot.rootstock imported;
      result = module.config;
      assertions = builtins.concatMap (part: part.config.assertions or [ ]) ([ module ] ++ imported);
      initrds = map (part: part.config.system.build.initialRamdisk.text or null) imported;
    in
    {
      hook = result.boot.loader.external.installHook.text or null;
      failed = map (entry: entry.message) (builtins.filter (entry: !entry.assertion) assertions);
      initrd = builtins.head initrds;
      services = builtins.attrNames (result.systemd.services or { });
      extensions = result.boot.bootspec.extensions or { };
      bless = result.systemd.services.rootstock-bless.serviceConfig.ExecStart or null;
      others = {
        grub = result.boot.loader.grub.enable or null;
        systemd-boot = result.boot.loader.systemd-boot.enable or null;
        external = result.boot.loader.external.enable or null;
      };
    };

  throws = settings: !(builtins.tryEval (builtins.deepSeq (evaluate settings) true)).success;
in
{
  off = evaluate { };
  plain = evaluate { enable = true; };
  whole = evaluate {
    enable = true;
    efiSystemPartitions = [
      "/boot"
      "/boot two"
    ];
    extendedBootPartitions = [
      "/x1"
      "/x2"
    ];
    configurationLimit = 10;
    epoch = 3;
    runInitrdSecrets = true;
    stub = "/lib/stub.efi";
    signing = {
      key = "pkcs11:token=boot;object=db?module-path=/lib/p11.so";
      certificate = "/etc/boot/db.crt";
      pinFile = "/run/keys/pin";
    };
    policy = {
      key = "pkcs11:token=boot;object=pcr?module-path=/lib/p11.so";
      certificate = "/etc/boot/pcr.crt";
      floor = "57@0x01d10701";
      stored = "/var/lib/systemd/pcrlock.json";
      banks = [
        "sha256"
        "sha384"
      ];
    };
    loader = {
      consoleMode = "max";
      editor = true;
      updateSingle = true;
    };
    bootCounting = {
      enable = true;
      tries = 5;
    };
  };
  arm = evaluate {
    enable = true;
    system = "aarch64-linux";
    loader.install = false;
  };
  encrypted = evaluate {
    enable = true;
    initrd.enable = true;
  };
  encrypted-whole = evaluate {
    enable = true;
    fileSystems."/" = {
      device = "/dev/disk/by-label/system";
      fsType = "btrfs";
      options = [
        "defaults"
        "subvol=@"
        "noatime"
        "compress=zstd"
      ];
      neededForBoot = true;
    };
    initrd = {
      enable = true;
      program = "/lib/boot-init";
      volume = "0fd5a7d5-1b2c-4c0d-9c61-5e1c4b1c8b11";
      name = "system";
      discard = true;
      modules = [ "virtio_blk" ];
      words = [ "rootwait=60" ];
    };
  };
  volume-of-another-form = evaluate {
    enable = true;
    initrd = {
      enable = true;
      volume = "/dev/vda2";
    };
  };
  store-elsewhere = evaluate {
    enable = true;
    initrd.enable = true;
    fileSystems = {
      "/" = {
        device = "/dev/mapper/root";
        fsType = "ext4";
        options = [ ];
        neededForBoot = true;
      };
      "/nix" = {
        device = "/dev/vdb";
        fsType = "ext4";
        options = [ ];
        neededForBoot = false;
      };
    };
  };
  root-in-memory = evaluate {
    enable = true;
    initrd.enable = true;
    fileSystems."/" = {
      device = "none";
      fsType = "tmpfs";
      options = [ ];
      neededForBoot = true;
    };
  };
  systemd-too = evaluate {
    enable = true;
    systemdInitrd = true;
    initrd.enable = true;
  };
  key-without-certificate = evaluate {
    enable = true;
    signing.key = "/etc/boot/db.key";
  };
  key-in-store = evaluate {
    enable = true;
    signing = {
      key = "/nix/store/x/db.key";
      certificate = "/etc/boot/db.crt";
    };
  };
  secrets-both-ways = evaluate {
    enable = true;
    withoutInitrdSecrets = true;
    runInitrdSecrets = true;
  };
  policy-key-in-store = evaluate {
    enable = true;
    policy.key = "/nix/store/x/pcr.key";
  };
  floored = evaluate {
    enable = true;
    policy = {
      key = "/etc/boot/pcr.key";
      floor = "1";
    };
  };
  floored-in-the-tpm = evaluate {
    enable = true;
    policy = {
      floor = "1";
      stored = "/var/lib/systemd/pcrlock.json";
    };
  };
  floor-without-policy = evaluate {
    enable = true;
    policy.floor = "1";
  };
  floor-of-another-form = evaluate {
    enable = true;
    policy = {
      key = "/etc/boot/pcr.key";
      floor = "1@0x81000001";
    };
  };
  uneven = evaluate {
    enable = true;
    extendedBootPartitions = [ "/x1" ];
    efiSystemPartitions = [
      "/boot"
      "/boot2"
    ];
  };
  refuses = {
    wrong-kind = throws {
      enable = true;
      configurationLimit = -1;
    };
    no-bank = throws {
      enable = true;
      policy = {
        key = "/etc/boot/pcr.key";
        banks = [ ];
      };
    };
    no-partition = throws {
      enable = true;
      efiSystemPartitions = [ ];
    };
    unknown = throws {
      enable = true;
      colour = "green";
    };
  };
}
