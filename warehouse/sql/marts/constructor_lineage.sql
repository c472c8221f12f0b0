select * from stg_f1db__constructors_chronology
