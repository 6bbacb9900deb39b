"""Parts of the module `data_disks`: what is wanted, what is there, what stands in the way."""
