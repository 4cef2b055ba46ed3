//! The program; everything is in the library.

/// Values and texts are many small pieces, made and dropped on every thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    overgrant_cli::main()
}
