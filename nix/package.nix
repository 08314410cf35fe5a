# One program of the workspace, by its crate's name.
{ lib, rustPlatform, pname }:
rustPlatform.buildRustPackage {
  inherit pname;
  version = (builtins.fromTOML (builtins.readFile ../Cargo.toml)).workspace.package.version;
  src = lib.cleanSource ../.;
  cargoLock.lockFile = ../Cargo.lock;
  cargoBuildFlags = [ "--package" pname ];
  # `./test` runs them with what they need; a build sandbox has no PostgreSQL, no browser and no virtual machines.
  doCheck = false;
  meta = {
    mainProgram = pname;
    license = [ lib.licenses.mit lib.licenses.asl20 ];
    platforms = lib.platforms.linux;
  };
}
