have_model
have_sst2
needs mpirun
# As root, and with more ranks than cores, mpirun wants to be told that it is meant.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
