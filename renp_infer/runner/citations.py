"""What to cite: the paper whose physics this is, the data, and the tools."""

BIBTEX = r"""@article{Hara2021,
  author  = {Hara, Hideaki and Yoshimi, Akihiro and Yoshimura, Motohiko},
  title   = {Parity violating magnetization at neutrino pair emission using trivalent lanthanoid ions},
  journal = {Phys. Rev. D},
  volume  = {104},
  pages   = {115006},
  year    = {2021},
  doi     = {10.1103/PhysRevD.104.115006}
}

@article{Esteban2024,
  author  = {Esteban, Ivan and Gonzalez-Garcia, M. C. and Maltoni, Michele and Martinez-Soler, Ivan and Pinheiro, Jo\~ao Paulo and Schwetz, Thomas},
  title   = {{NuFit}-6.0: updated global analysis of three-flavor neutrino oscillations},
  journal = {JHEP},
  volume  = {12},
  pages   = {216},
  year    = {2024},
  doi     = {10.1007/JHEP12(2024)216}
}

@article{AbrilPla2023,
  author  = {Abril-Pla, Oriol and others},
  title   = {{PyMC}: a modern, and comprehensive probabilistic programming framework in {Python}},
  journal = {PeerJ Computer Science},
  volume  = {9},
  pages   = {e1516},
  year    = {2023},
  doi     = {10.7717/peerj-cs.1516}
}

@article{Hoffman2014,
  author  = {Hoffman, Matthew D. and Gelman, Andrew},
  title   = {The {No-U-Turn} sampler: adaptively setting path lengths in {Hamiltonian} {Monte} {Carlo}},
  journal = {Journal of Machine Learning Research},
  volume  = {15},
  pages   = {1593--1623},
  year    = {2014}
}

@article{ForemanMackey2013,
  author  = {Foreman-Mackey, Daniel and Hogg, David W. and Lang, Dustin and Goodman, Jonathan},
  title   = {emcee: the {MCMC} hammer},
  journal = {Publications of the Astronomical Society of the Pacific},
  volume  = {125},
  pages   = {306},
  year    = {2013},
  doi     = {10.1086/670067}
}

@article{Kumar2019,
  author  = {Kumar, Ravin and Carroll, Colin and Hartikainen, Ari and Martin, Osvaldo},
  title   = {{ArviZ}, a unified library for exploratory analysis of {Bayesian} models in {Python}},
  journal = {Journal of Open Source Software},
  volume  = {4},
  number  = {33},
  pages   = {1143},
  year    = {2019},
  doi     = {10.21105/joss.01143}
}

@article{Harris2020,
  author  = {Harris, Charles R. and others},
  title   = {Array programming with {NumPy}},
  journal = {Nature},
  volume  = {585},
  pages   = {357--362},
  year    = {2020},
  doi     = {10.1038/s41586-020-2649-2}
}

@article{Virtanen2020,
  author  = {Virtanen, Pauli and others},
  title   = {{SciPy} 1.0: fundamental algorithms for scientific computing in {Python}},
  journal = {Nature Methods},
  volume  = {17},
  pages   = {261--272},
  year    = {2020},
  doi     = {10.1038/s41592-019-0686-2}
}

@inproceedings{Lam2015,
  author    = {Lam, Siu Kwan and Pitrou, Antoine and Seibert, Stanley},
  title     = {Numba: a {LLVM}-based {Python} {JIT} compiler},
  booktitle = {Proceedings of the Second Workshop on the LLVM Compiler Infrastructure in HPC},
  year      = {2015},
  doi       = {10.1145/2833157.2833162}
}

@article{Hoyer2017,
  author  = {Hoyer, Stephan and Hamman, Joe},
  title   = {xarray: {N-D} labeled arrays and datasets in {Python}},
  journal = {Journal of Open Research Software},
  volume  = {5},
  number  = {1},
  pages   = {10},
  year    = {2017},
  doi     = {10.5334/jors.148}
}
"""  # noqa: E501 - titles stay on one line
"""BibTeX entries."""
