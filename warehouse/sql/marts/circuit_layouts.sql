select * from stg_f1db__circuits_layouts
