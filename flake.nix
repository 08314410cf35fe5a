# Packages of the three programs, an image of the tracker, its NixOS module, and a shell to develop in.
#
# It is parsed and its outputs are evaluated against stand-ins (nix/tests/flake.nix, stage test.d/45-tracker-operate);
# it was NOT built with Nixpkgs.
{
  description = "Rootstock: the security of Nixpkgs";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      eachSystem = make:
        builtins.listToAttrs (map (name: { inherit name; value = make nixpkgs.legacyPackages.${name}; }) systems);
      programs = pkgs:
        builtins.listToAttrs (map
          (name: { inherit name; value = pkgs.callPackage ./nix/package.nix { pname = name; }; })
          [ "rootstock-tracker" "rootstock-boot" "rootstock-seed" ]);
    in
    {
      packages = eachSystem (pkgs:
        let own = programs pkgs; in own // {
          default = own.rootstock-tracker;
          # The only program of an initrd: linked statically.
          boot-init = pkgs.pkgsStatic.callPackage ./nix/package.nix { pname = "boot-init"; };
          tracker-image = pkgs.callPackage ./nix/image.nix { inherit (own) rootstock-tracker; };
        });

      overlays.default = final: _: programs final;

      nixosModules.tracker = { pkgs, lib, ... }: {
        imports = [ ./nix/modules/tracker.nix ];
        services.rootstock-tracker.package =
          lib.mkDefault self.packages.${pkgs.stdenv.hostPlatform.system}.rootstock-tracker;
      };

      # `boot.rootstock.stub` is the machine's to name: it is built for firmware, which Nixpkgs' builder does not.
      nixosModules.boot = { pkgs, lib, ... }: {
        imports = [ ./nix/modules/boot.nix ];
        boot.rootstock =
          let own = self.packages.${pkgs.stdenv.hostPlatform.system}; in
          {
            package = lib.mkDefault own.rootstock-boot;
            initrd.program = lib.mkDefault "${own.boot-init}/bin/boot-init";
          };
      };

      devShells = eachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.cargo
            pkgs.rustc
            pkgs.clippy
            pkgs.rustfmt
            pkgs.mold
            pkgs.postgresql
            pkgs.nodejs
            pkgs.chromium
            pkgs.qemu
            pkgs.swtpm
            pkgs.softhsm
            pkgs.sbsigntool
          ];
        };
      });

      formatter = eachSystem (pkgs: pkgs.nixpkgs-fmt);
    };
}
