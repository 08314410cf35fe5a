# The flake's outputs over stand-ins of Nixpkgs: which there are, and what each is called with.
let
  flake = import ../../flake.nix;
  lib = (import ./module-stub.nix).lib // {
    cleanSource = path: path;
    licenses = { mit = "MIT"; asl20 = "Apache-2.0"; };
    platforms.linux = [ "x86_64-linux" ];
  };
  pkgsOf = system: rec {
    stdenv.hostPlatform = { inherit system; };
    rustPlatform.buildRustPackage = given: given // { outPath = "/nix/store/${given.pname}"; };
    dockerTools.buildLayeredImage = given: given;
    cacert.outPath = "/nix/store/cacert";
    callPackage = file: given:
      let
        function = import file;
        known = builtins.intersectAttrs (builtins.functionArgs function) ({ inherit lib rustPlatform dockerTools cacert; } // given);
      in
      function known;
    pkgsStatic = { inherit callPackage; };
    mkShell = given: given;
  } // builtins.listToAttrs (map (name: { inherit name; value = name; }) [
    "cargo" "rustc" "clippy" "rustfmt" "mold" "postgresql" "nodejs" "chromium" "qemu" "swtpm" "softhsm" "sbsigntool" "nixpkgs-fmt"
  ]);
  self = flake.outputs {
    inherit self;
    nixpkgs.legacyPackages = { x86_64-linux = pkgsOf "x86_64-linux"; aarch64-linux = pkgsOf "aarch64-linux"; };
  };
  boot = self.nixosModules.boot { pkgs = pkgsOf "x86_64-linux"; inherit lib; };
  module = self.nixosModules.tracker { pkgs = pkgsOf "x86_64-linux"; inherit lib; };
in
{
  outputs = builtins.attrNames self;
  packages = builtins.mapAttrs (_: builtins.mapAttrs (_: package: package.pname or package.name)) self.packages;
  version = self.packages.x86_64-linux.rootstock-tracker.version;
  flags = self.packages.x86_64-linux.rootstock-boot.cargoBuildFlags;
  image = { inherit (self.packages.x86_64-linux.tracker-image) tag config; };
  shell = builtins.length self.devShells.x86_64-linux.default.packages;
  boot = {
    imports = map baseNameOf boot.imports;
    package = boot.boot.rootstock.package.content.pname;
    program = boot.boot.rootstock.initrd.program.content;
  };
  module = {
    imports = map baseNameOf module.imports;
    package = module.services.rootstock-tracker.package.content.pname;
  };
}
